import { text } from '../text.ts';
import type { BackendChoice, Verdict } from './protocol.ts';

/** Below this a token is so little work that a GPU spends most of its time on being asked. */
export const SMALL_BYTES = 64 << 20;

/** Below this threads spend more time on meeting than on computing. */
export const TINY_BYTES = 8 << 20;

/**
 * The backend for a model, and why. The GPU is asked only where it can win, so that a small model does not wait for it.
 * @param bytes of the weights
 * @param gpu the verdict on WebGPU
 */
export async function chooseBackend(bytes: number, gpu: () => Promise<Verdict>): Promise<BackendChoice> {
  if (bytes < TINY_BYTES) return { backend: 'wasm', why: text.choice.tiny, threads: 1 };
  if (bytes < SMALL_BYTES) return { backend: 'wasm', why: text.choice.small };
  const verdict = await gpu();
  if (!verdict.works) return { backend: 'wasm', why: text.choice.noGpu(verdict.detail) };
  if (verdict.software) return { backend: 'wasm', why: text.choice.softwareGpu(verdict.detail) };
  return { backend: 'webgpu', why: text.choice.gpu(verdict.detail) };
}
