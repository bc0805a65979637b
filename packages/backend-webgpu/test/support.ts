import { readFile } from 'node:fs/promises';
import { bytesSource, type Checkpoint, openCheckpoint } from '@receptance/checkpoint';
import {
  type Backend,
  type Device,
  type DeviceBuffer,
  detectModel,
  type Executable,
  type Graph,
  GraphBuilder,
  type HostArray,
  type LanguageModel,
  type Value,
  type WeightSource,
} from '@receptance/core';
import { type WebGpuOptions, webgpu } from '../src/index.ts';
import { findGpu } from '../src/platform.ts';

/** Held as long as the tests run: Dawn ends with it. */
export const gpuSource: GPU = await findGpu();

/** Without the self-test, which takes seconds on a software GPU. */
export function withoutTest(options: WebGpuOptions = {}): Backend {
  return webgpu({ selfTest: false, ...options });
}

const models = new URL('../../conformance/golden/models/', import.meta.url);

async function open(file: string): Promise<Checkpoint> {
  return await openCheckpoint(bytesSource(await readFile(new URL(file, models))));
}

export async function openModel(file: string): Promise<{ weights: WeightSource; model: LanguageModel }> {
  const weights = await open(file);
  return { weights, model: detectModel(weights.tensors) };
}

export const NO_WEIGHTS: WeightSource = {
  tensors: new Map(),
  read: () => Promise.reject(new Error('there are no weights')),
};

/** A buffer that holds these numbers. */
export function filled(device: Device, dtype: 'f32' | 'i32', data: readonly number[]): DeviceBuffer {
  const buffer = device.alloc(dtype, data.length);
  device.write(buffer, data);
  return buffer;
}

/** A graph of one input x f32[N] and one output y. */
export function graphOf(body: (b: GraphBuilder, x: Value) => Value): Graph {
  const b = new GraphBuilder('test');
  b.output('y', body(b, b.input('x', 'f32', ['N'])));
  return b.build();
}

export async function compileAlone(
  device: Device,
  graph: Graph,
  limits: Readonly<Record<string, number>>,
): Promise<Executable> {
  return await device.compile(graph, await device.loadParameters(NO_WEIGHTS, [graph]), limits);
}

/** What a graph of `graphOf` makes of x. */
export async function runOn(
  device: Device,
  executable: Executable,
  x: readonly number[],
  elements: number,
): Promise<HostArray> {
  const y = device.alloc('f32', elements);
  const bindings = { sizes: { N: x.length }, inputs: { x: filled(device, 'f32', x) }, outputs: { y } };
  await device.run(executable, bindings);
  return await device.read(y);
}
