import { type Backend, extendKernels, type KernelTable, ReceptanceError } from '@receptance/core';
import { Crew } from './crew.ts';
import { WasmDevice } from './device.ts';
import { type Features, features, processors } from './features.ts';
import type { WasmKernel } from './kernel.ts';
import { kernels as ownKernels } from './kernel-table.ts';
import { LinearMemory } from './memory.ts';
import { chooseVariant, instantiate } from './module.ts';
import { mostBytes } from './variants.ts';

export type { Axis, Product } from './axes.ts';
export type { Encoder, InstructionName, Register } from './encoder.ts';
export type { KernelOf, NodeOf, WasmKernel } from './kernel.ts';

export interface WasmOptions {
  /** Kernels that take precedence over the backend's own. */
  readonly kernels?: KernelTable<WasmKernel>;
  /**
   * Threads that run kernels. Left out: as many as the processor has, at most 8; 1 where memory cannot be shared, as on
   * a page without cross-origin isolation. With 1, `run` works in the calling thread; with more, in workers.
   */
  readonly threads?: number;
  /** Whether to use relaxed SIMD, whose sums are rounded as the machine does it best. Left out: where the engine has it. */
  readonly relaxed?: boolean;
  /** Addresses of 64 bits, for memory beyond 4 GiB, up to 16 GiB; about a tenth slower. */
  readonly memory64?: boolean;
  /** Bytes that a device's memory may grow to: as much as it can have when left out, and never more. */
  readonly memoryLimit?: number;
  /**
   * For those who write kernels: marks lie around every piece of memory, and a run after which one is damaged fails. New
   * memory is filled with NaN, too. Off when left out.
   */
  readonly guards?: boolean;
}

/** More threads than this wait for memory more than they read it. */
const MOST_THREADS = 8;

/** WebAssembly with 128-bit SIMD: any browser since 2021, and Node. */
export function wasm(options: WasmOptions = {}): Backend {
  const table = extendKernels(ownKernels, options.kernels);
  return {
    specVersion: 1,
    name: 'wasm',
    async open() {
      const has = features();
      const threads = threadsFor(options, has);
      const { relaxed = has.relaxed, memory64 = false, guards: guarded = false } = options;
      const variant = chooseVariant({ threads: threads > 1 || memory64, relaxed, memory64 }, has);
      // Threads start while the binary is compiled.
      const crew = threads > 1 ? new Crew(threads) : undefined;
      try {
        const instance = await instantiate(variant);
        const most = Math.min(options.memoryLimit ?? Number.POSITIVE_INFINITY, mostBytes(instance.variant));
        const memory = new LinearMemory(instance.memory, { base: instance.crate.base, most, memory64, guarded });
        await crew?.begin(instance, memory);
        return new WasmDevice(table, instance, memory, crew);
      } catch (error) {
        crew?.close();
        throw error;
      }
    },
  };
}

function threadsFor({ threads }: WasmOptions, { sharedMemory }: Features): number {
  if (threads === undefined) return sharedMemory ? Math.min(processors(), MOST_THREADS) : 1;
  if (Number.isSafeInteger(threads) && threads >= 1) return threads;
  throw new ReceptanceError('BAD_OPTION', `${threads} threads`, { hint: 'give a whole number ≥ 1, or leave it out' });
}
