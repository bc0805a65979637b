import {
  type Backend,
  type DeviceInfo,
  extendKernels,
  HostDevice,
  type HostKernel,
  type KernelTable,
} from '@receptance/core';
import { kernels as ownKernels } from './kernel-table.ts';

export type { KernelOf, Numbers, Tensor } from './tensor.ts';

export interface ReferenceOptions {
  /** Kernels that take precedence over the backend's own. */
  readonly kernels?: KernelTable<HostKernel>;
}

const INFO: DeviceInfo = { backend: 'reference', adapter: 'f64 interpreter', threads: 1, float: 'f64', ragged: true };

/** The backend that every other is held to: f64, plain loops, every op and every gradient, on any JavaScript engine. */
export function reference(options: ReferenceOptions = {}): Backend {
  const table = extendKernels(ownKernels, options.kernels);
  return { specVersion: 1, name: 'reference', open: async () => new HostDevice(INFO, table) };
}
