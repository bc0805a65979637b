import { type Backend, firstAvailable } from '@receptance/core';
import { UsageError } from './usage-error.ts';

/** Hears why a backend that would have been preferred is not taken. */
type Told = (message: string) => void;

/** What `--backend` takes. A backend's package is loaded when it is chosen, so that none needs what another needs. */
const BACKENDS: Readonly<Record<string, (onUnavailable?: Told) => Promise<Backend>>> = {
  reference: async () => (await import('@receptance/backend-reference')).reference(),
  wasm: async () => (await import('@receptance/backend-wasm')).wasm(),
  webgpu: async () => (await import('@receptance/backend-webgpu')).webgpu(),
  onnx: async () => (await import('@receptance/backend-onnx')).onnx(),
  'onnx-exact': async () => (await import('@receptance/backend-onnx')).onnx({ activations: 'exact' }),
  'onnx-cuda': async () => (await import('@receptance/backend-onnx')).onnx({ provider: 'cuda' }),
  auto: async (onUnavailable) => {
    const [gpu, wasm] = [await import('@receptance/backend-webgpu'), await import('@receptance/backend-wasm')];
    return firstAvailable([gpu.webgpu(), wasm.wasm()], ({ message }) => onUnavailable?.(message));
  },
  'onnx-webgpu': async () => (await import('@receptance/backend-onnx')).onnx({ provider: 'webgpu' }),
};

export const DEFAULT_BACKEND = 'wasm';

export function backendNames(): string[] {
  return Object.keys(BACKENDS);
}

/** @throws UsageError `UNKNOWN_BACKEND` */
export async function backendNamed(name: string, onUnavailable?: Told): Promise<Backend> {
  const make = Object.hasOwn(BACKENDS, name) ? BACKENDS[name] : undefined;
  if (make !== undefined) return make(onUnavailable);
  throw new UsageError('UNKNOWN_BACKEND', `there is no backend "${name}"`, {
    hint: `backends are ${backendNames().join(', ')}`,
  });
}
