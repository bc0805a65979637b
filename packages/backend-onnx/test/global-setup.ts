import { execFile } from 'node:child_process';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { TestProject } from 'vitest/node';

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

const folder = fileURLToPath(new URL('../node_modules/.cache-export', import.meta.url));
const program = fileURLToPath(new URL('support/export-golden.ts', import.meta.url));

/** A page cannot export: it gets what was exported here, by a program of its own, for this module is not run on the packages’ sources. */
export default async function setup(project: TestProject): Promise<void> {
  if (!project.name.endsWith('-on-chromium')) return;
  const { stdout } = await promisify(execFile)(process.execPath, ['--conditions=@receptance/source', program, folder]);
  const { prompt, greedy }: { prompt: number[]; greedy: number[] } = JSON.parse(stdout);
  const wasm = createRequire(import.meta.url).resolve('onnxruntime-web/ort-wasm-simd-threaded.wasm');
  project.provide('exported', { url: `/@fs${folder}`, wasm: `/@fs${wasm}`, prompt, greedy });
}
