import { type Backend, BackendUnavailableError } from '@receptance/core';
import type { BackendName, Verdict } from './protocol.ts';

/** Software that stands in for a GPU. */
const SOFTWARE = /swiftshader|llvmpipe|lavapipe|softpipe|basic render/i;

/** Backends come as chunks of their own: a page loads those that it opens. */
export async function backendOf(name: BackendName, threads?: number): Promise<Backend> {
  switch (name) {
    case 'wasm':
      return (await import('@receptance/backend-wasm')).wasm(threads === undefined ? {} : { threads });
    case 'webgpu':
      return (await import('@receptance/backend-webgpu')).webgpu();
    case 'reference':
      return (await import('@receptance/backend-reference')).reference();
  }
}

const known = new Map<BackendName, Promise<Verdict>>();

/** Opens a backend once, self-test and all, and closes it again. */
export function verdictOn(name: BackendName): Promise<Verdict> {
  const verdict = known.get(name) ?? examine(name);
  known.set(name, verdict);
  return verdict;
}

/** A device was lost: what was known of it may not hold any more. */
export function forgetVerdict(name: BackendName): void {
  known.delete(name);
}

export async function verdicts(emit: (verdict: Verdict) => void): Promise<readonly Verdict[]> {
  const all: Verdict[] = [];
  for (const name of ['wasm', 'webgpu', 'reference'] as const) {
    const verdict = await verdictOn(name);
    emit(verdict);
    all.push(verdict);
  }
  return all;
}

async function examine(backend: BackendName): Promise<Verdict> {
  const began = performance.now();
  const openMs = (): number => performance.now() - began;
  try {
    const device = await (await backendOf(backend)).open();
    const { adapter, threads } = device.info;
    await device.close();
    const detail = threads > 1 ? `${adapter}, ${threads} threads` : adapter;
    return { backend, works: true, detail, software: SOFTWARE.test(adapter), openMs: openMs() };
  } catch (error) {
    if (!BackendUnavailableError.isInstance(error)) throw error;
    return { backend, works: false, detail: error.message, hint: error.hint, software: false, openMs: openMs() };
  }
}
