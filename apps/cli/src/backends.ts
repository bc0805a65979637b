import type { Backend } from '@receptance/core';
import { UsageError } from './usage-error.ts';

/** What `--backend` takes. A backend's package is loaded when it is chosen, so that none needs what another needs. */
const BACKENDS: Readonly<Record<string, () => Promise<Backend>>> = {
  reference: async () => (await import('@receptance/backend-reference')).reference(),
  wasm: async () => (await import('@receptance/backend-wasm')).wasm(),
  webgpu: async () => (await import('@receptance/backend-webgpu')).webgpu(),
  onnx: async () => (await import('@receptance/backend-onnx')).onnx(),
  'onnx-cuda': async () => (await import('@receptance/backend-onnx')).onnx({ provider: 'cuda' }),
  'onnx-webgpu': async () => (await import('@receptance/backend-onnx')).onnx({ provider: 'webgpu' }),
};

export const DEFAULT_BACKEND = 'wasm';

export function backendNames(): string[] {
  return Object.keys(BACKENDS);
}

/** @throws UsageError `UNKNOWN_BACKEND` */
export async function backendNamed(name: string): Promise<Backend> {
  const make = Object.hasOwn(BACKENDS, name) ? BACKENDS[name] : undefined;
  if (make !== undefined) return make();
  throw new UsageError('UNKNOWN_BACKEND', `there is no backend "${name}"`, {
    hint: `backends are ${backendNames().join(', ')}`,
  });
}
