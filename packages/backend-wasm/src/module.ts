import { BackendUnavailableError } from '@receptance/core';
import { BINARY } from './module.gen.ts';

/** What the crate exports. Arguments are addresses of tables of u32. */
export interface Kernels {
  run(code: number, registers: number, plan: number): void;
  /** The first address that the module does not use itself. */
  readonly base: number;
}

const INITIAL_PAGES = 32;

/** Compiles the binary and gives it a memory of its own. @throws BackendUnavailableError without SIMD */
export async function instantiate(): Promise<{ kernels: Kernels; memory: WebAssembly.Memory }> {
  const binary = decodeBase64(BINARY.replaceAll('\n', ''));
  if (!WebAssembly.validate(binary)) {
    throw new BackendUnavailableError('wasm', 'this JavaScript engine does not take WebAssembly with 128-bit SIMD', {
      hint: 'use Node 20 or a browser from 2021 or later, or another backend',
    });
  }
  const memory = new WebAssembly.Memory({ initial: INITIAL_PAGES });
  const { instance } = await WebAssembly.instantiate(binary, { env: { memory } });
  const { run, __heap_base: base } = instance.exports;
  if (typeof run !== 'function' || !(base instanceof WebAssembly.Global)) {
    throw new BackendUnavailableError('wasm', 'the binary does not export what it should', {
      hint: 'build it anew: pnpm --filter @receptance/backend-wasm build:wasm',
    });
  }
  const kernels: Kernels = {
    run: (code, registers, plan) => {
      run(code, registers, plan);
    },
    base: Number(base.value),
  };
  return { kernels, memory };
}

function decodeBase64(text: string): Uint8Array<ArrayBuffer> {
  const characters = atob(text);
  const bytes = new Uint8Array(characters.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = characters.charCodeAt(i);
  return bytes;
}
