import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { WasmOptions } from '@receptance/backend-wasm';
import { type Backend, type Kernel, type KernelTable, ReceptanceError } from '@receptance/core';

interface BackendEntry {
  /** Whether the number of threads is for the user to choose. */
  readonly threads: boolean;
  /** @param kernels of the backend's own type; it is not known here what that is */
  make(threads: number, kernels: KernelTable<never>): Promise<Backend>;
}

/** What `--backend` takes. */
export const BACKENDS: Readonly<Record<string, BackendEntry>> = {
  wasm: {
    threads: true,
    async make(threads, kernels) {
      const { wasm } = await import('@receptance/backend-wasm');
      const options: WasmOptions & { readonly threads: number } = { threads, kernels };
      return wasm(options);
    },
  },
  webgpu: {
    threads: false,
    make: async (_, kernels) => (await import('@receptance/backend-webgpu')).webgpu({ kernels }),
  },
  onnx: {
    threads: true,
    make: async (threads, kernels) => (await import('@receptance/backend-onnx')).onnx({ threads, kernels }),
  },
  'onnx-exact': {
    threads: true,
    make: async (threads, kernels) =>
      (await import('@receptance/backend-onnx')).onnx({ threads, activations: 'exact', kernels }),
  },
  'onnx-cuda': {
    threads: false,
    make: async (_, kernels) => (await import('@receptance/backend-onnx')).onnx({ provider: 'cuda', kernels }),
  },
  'onnx-webgpu': {
    threads: false,
    make: async (_, kernels) => (await import('@receptance/backend-onnx')).onnx({ provider: 'webgpu', kernels }),
  },
  reference: {
    threads: false,
    make: async (_, kernels) => (await import('@receptance/backend-reference')).reference({ kernels }),
  },
};

/** @throws ReceptanceError `UNKNOWN_BACKEND` */
export function backendEntry(name: string): BackendEntry {
  const entry = Object.hasOwn(BACKENDS, name) ? BACKENDS[name] : undefined;
  if (entry !== undefined) return entry;
  throw new ReceptanceError('UNKNOWN_BACKEND', `there is no backend ${name}`, {
    hint: `choose from ${Object.keys(BACKENDS).join(', ')}`,
  });
}

/**
 * The kernels that a module exports as `kernels`, to stand before a backend's own.
 * @throws ReceptanceError `BAD_OPTION` for a module that exports none
 */
export async function kernelsOf(path: string | undefined): Promise<KernelTable<never>> {
  if (path === undefined) return {};
  const module: { readonly kernels?: KernelTable<Kernel> } = await import(pathToFileURL(resolve(path)).href);
  if (typeof module.kernels === 'object') return module.kernels as KernelTable<never>;
  throw new ReceptanceError('BAD_OPTION', `${path} exports no kernels`, {
    hint: 'let it export them by op: export const kernels = { wkv7: [mine] }',
  });
}
