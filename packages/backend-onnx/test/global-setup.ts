import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { openCheckpointFile } from '@receptance/checkpoint/node';
import { widen } from '@receptance/core';
import type { TestProject } from 'vitest/node';
import { exportOnnx } from '../src/index.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** An exported model, where a page of the tests can fetch it from, and what outside programs make of it. */
    readonly exported: {
      readonly url: string;
      /** ONNX Runtime's own binary. */
      readonly wasm: string;
      readonly prompt: readonly number[];
      readonly greedy: readonly number[];
    };
  }
}

const NAME = 'rwkv7_l4_c128_v97';
const golden = new URL('../../conformance/golden/models/', import.meta.url);
const folder = fileURLToPath(new URL('../node_modules/.cache-export', import.meta.url));

/** A page cannot export: it gets what was exported here. */
export default async function setup(project: TestProject): Promise<void> {
  if (!project.name.endsWith('-on-chromium')) return;
  const checkpoint = await openCheckpointFile(new URL(`${NAME}.safetensors`, golden));
  await exportOnnx(checkpoint, folder, { force: true });
  await checkpoint.close();
  const [prompt, greedy] = [await numbers('prompt'), await numbers('greedy')];
  const wasm = createRequire(import.meta.url).resolve('onnxruntime-web/ort-wasm-simd-threaded.wasm');
  project.provide('exported', { url: `/@fs${folder}`, wasm: `/@fs${wasm}`, prompt, greedy });
}

async function numbers(tensor: string): Promise<number[]> {
  const file = await openCheckpointFile(new URL(`${NAME}.golden.safetensors`, golden));
  const { dtype, shape } = file.tensors.get(tensor) ?? { dtype: 'f64', shape: [0] };
  const wide = new Float64Array(shape.reduce((product, size) => product * size, 1));
  widen(dtype, await file.read(tensor), wide);
  await file.close();
  return [...wide];
}
