import { type Backend, extendKernels, type KernelTable } from '@receptance/core';
import { ReferenceDevice } from './device.ts';
import { kernels as ownKernels } from './kernel-table.ts';
import type { ReferenceKernel } from './tensor.ts';

export type { KernelOf, Numbers, ReferenceKernel, Tensor } from './tensor.ts';

export interface ReferenceOptions {
  /** Kernels that take precedence over the backend's own. */
  readonly kernels?: KernelTable<ReferenceKernel>;
}

/** The backend that every other is held to: f64, plain loops, every op and every gradient, on any JavaScript engine. */
export function reference(options: ReferenceOptions = {}): Backend {
  const table = extendKernels(ownKernels, options.kernels);
  return { specVersion: 1, name: 'reference', open: async () => new ReferenceDevice(table) };
}
