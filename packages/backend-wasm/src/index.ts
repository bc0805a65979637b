import { type Backend, extendKernels, type KernelTable } from '@receptance/core';
import { WasmDevice } from './device.ts';
import type { WasmKernel } from './kernel.ts';
import { kernels as ownKernels } from './kernel-table.ts';
import { instantiate } from './module.ts';

export type { Axis, Product } from './axes.ts';
export type { Encoder, InstructionName, Register } from './encoder.ts';
export type { KernelOf, NodeOf, WasmKernel } from './kernel.ts';

export interface WasmOptions {
  /** Kernels that take precedence over the backend's own. */
  readonly kernels?: KernelTable<WasmKernel>;
  /** Bytes that a device's memory may grow to: just under 4 GiB when left out, and never more. */
  readonly memoryLimit?: number;
}

/** WebAssembly with 128-bit SIMD, on one thread: any browser since 2021, and Node. */
export function wasm(options: WasmOptions = {}): Backend {
  const table = extendKernels(ownKernels, options.kernels);
  return {
    specVersion: 1,
    name: 'wasm',
    async open() {
      const { kernels, memory } = await instantiate();
      return new WasmDevice(table, kernels, memory, options.memoryLimit);
    },
  };
}
