import type { WasmOptions } from '@receptance/backend-wasm';
import { type Backend, ReceptanceError } from '@receptance/core';

interface BackendEntry {
  /** Whether the number of threads is for the user to choose. */
  readonly threads: boolean;
  make(threads: number): Promise<Backend>;
}

/** What `--backend` takes. */
export const BACKENDS: Readonly<Record<string, BackendEntry>> = {
  wasm: {
    threads: true,
    async make(threads) {
      const { wasm } = await import('@receptance/backend-wasm');
      const options: WasmOptions & { readonly threads: number } = { threads };
      return wasm(options);
    },
  },
  webgpu: { threads: false, make: async () => (await import('@receptance/backend-webgpu')).webgpu() },
  reference: { threads: false, make: async () => (await import('@receptance/backend-reference')).reference() },
};

/** @throws ReceptanceError `UNKNOWN_BACKEND` */
export function backendEntry(name: string): BackendEntry {
  const entry = Object.hasOwn(BACKENDS, name) ? BACKENDS[name] : undefined;
  if (entry !== undefined) return entry;
  throw new ReceptanceError('UNKNOWN_BACKEND', `there is no backend ${name}`, {
    hint: `choose from ${Object.keys(BACKENDS).join(', ')}`,
  });
}
