import { type Backend, extendKernels, type KernelTable, type OpenOptions } from '@receptance/core';
import { WebGpuDevice } from './device.ts';
import type { WebGpuKernel } from './kernel.ts';
import { kernels as ownKernels } from './kernel-table.ts';
import { findAdapter, findGpu, openDevice } from './platform.ts';

export type { Binding, KernelOf, Launch, Program, Scratch, Shader, WebGpuKernel } from './kernel.ts';

export interface WebGpuOptions {
  /** A device to share with the app; `close` leaves it open. Raise its limits: the defaults bind 128 MiB at most. */
  readonly device?: GPUDevice;
  /** Where adapters come from, instead of `navigator.gpu` or the npm package `webgpu`. */
  readonly gpu?: GPU;
  /** Kernels that take precedence over the backend's own. */
  readonly kernels?: KernelTable<WebGpuKernel>;
}

/**
 * Runs graphs on the GPU through WebGPU: in browsers, and in Node by the npm package `webgpu`.
 */
export function webgpu(options: WebGpuOptions = {}): Backend {
  const kernels = extendKernels(ownKernels, options.kernels);
  return {
    specVersion: 1,
    name: 'webgpu',
    async open({ signal }: OpenOptions = {}) {
      signal?.throwIfAborted();
      if (options.device !== undefined) {
        const gpu = options.device;
        return new WebGpuDevice({ gpu, adapter: describe(gpu.adapterInfo), kernels, owned: false });
      }
      const source = options.gpu ?? (await findGpu());
      const adapter = await findAdapter(source);
      const gpu = await openDevice(adapter);
      return new WebGpuDevice({ gpu, source, adapter: describe(adapter.info), kernels, owned: true });
    },
  };
}

/** What a person would call the GPU, as far as the browser tells. */
function describe({ description, device, vendor, architecture }: GPUAdapterInfo): string {
  return description || device || [vendor, architecture].filter((part) => part !== '').join(' ') || 'GPU';
}
