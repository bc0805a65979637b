/**
 * What the host pays for a token that WebGPU decodes: dispatches, and the time that `run` takes to encode and submit.
 * `node --conditions=@receptance/source benchmarks/src/webgpu-encoding.ts`; on a machine without a GPU with VK_ICD_FILENAMES.
 */
import { dispatchesOf, webgpu } from '@receptance/backend-webgpu';
import { randomRwkv7 } from '@receptance/conformance';
import { type DeviceBuffer, detectModel, greedyGraph } from '@receptance/core';

/** The model is narrow: what is encoded depends on its depth only, and a software GPU must not be what is waited for. */
const LAYERS = 12;
const STEPS = 64;
const SAMPLES = 5;

export interface EncodingFigures {
  readonly adapter: string;
  readonly dispatches: number;
  /** Milliseconds of the host for a token: median of several runs of many tokens, with the buffers of the run before. */
  readonly perToken: number;
  /** The same for single runs of one token. */
  readonly alone: number;
}

export async function measureEncoding(): Promise<EncodingFigures> {
  const ranks = { w: 8, a: 8, v: 8, g: 8 };
  const source = randomRwkv7({
    layers: LAYERS,
    heads: 1,
    headSize: 64,
    ffn: 64,
    ranks,
    vocabulary: 64,
    seed: 'encoding',
  });
  const graph = greedyGraph(detectModel(source.tensors));
  const device = await webgpu({ selfTest: false }).open();
  try {
    const parameters = await device.loadParameters(source, [graph], { limits: { Z: 1 } });
    const sizes = { N: 1, S: 1, R: 1 };
    const executable = await device.compile(graph, parameters, sizes);
    const integers = (data: readonly number[]): DeviceBuffer => {
      const buffer = device.alloc('i32', data.length);
      device.write(buffer, data);
      return buffer;
    };
    const inputs = { tokens: integers([1]), starts: integers([0, 1]), slots: integers([0]), rows: integers([0]) };
    const next = device.alloc('i32', STEPS);
    const timed = async (steps: number): Promise<number> => {
      const loop = { steps, carry: steps > 1 ? { tokens: 'next' } : {}, feed: [], collect: ['next'] };
      const begin = performance.now();
      await device.run(executable, { sizes, inputs, outputs: { next } }, loop);
      const spent = performance.now() - begin;
      await device.read(next, 0, 1);
      return spent / steps;
    };
    const median = async (steps: number): Promise<number> => {
      await timed(steps);
      const samples: number[] = [];
      for (let i = 0; i < SAMPLES; i++) samples.push(await timed(steps));
      return samples.sort((a, b) => a - b)[Math.floor(SAMPLES / 2)] ?? Number.NaN;
    };
    const [perToken, alone] = [await median(STEPS), await median(1)];
    return { adapter: device.info.adapter, dispatches: dispatchesOf(executable, sizes) ?? Number.NaN, perToken, alone };
  } finally {
    await device.close();
  }
}

if ('process' in globalThis && import.meta.main) {
  const { adapter, dispatches, perToken, alone } = await measureEncoding();
  console.log(`${adapter}, a model of ${LAYERS} layers`);
  console.log(`dispatches a token: ${dispatches}, ${(dispatches / LAYERS).toFixed(1)} a layer with embedding and head`);
  console.log(`encoding a token: ${perToken.toFixed(3)} ms in runs of ${STEPS}, ${alone.toFixed(3)} ms in runs of one`);
  process.exit(0);
}
