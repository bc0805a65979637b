import { signal } from '@preact/signals';
import type { Progress } from '@receptance/core';
import type { BackendWish, ModelRef, ModelSummary, OpenRequest, Verdict } from '../worker/protocol.ts';
import { fail, isAborted } from './notices.ts';
import { worker } from './worker.ts';

export const model = signal<ModelSummary | undefined>(undefined);
/** While a model is being opened: what, and how far. */
export const opening = signal<(Progress & { readonly name: string }) | undefined>(undefined);
export const verdicts = signal<readonly Verdict[]>([]);
/** What is open, to open it again in another way. */
export const wanted = signal<OpenRequest>({ model: { kind: 'bundled' }, backend: 'auto' });

let current: AbortController | undefined;

/** Opens a model in place of the one that is open. When that fails, the one before is opened again. */
export async function openModel(request: OpenRequest, name: string): Promise<boolean> {
  current?.abort();
  const controller = new AbortController();
  current = controller;
  const before = model.value === undefined ? undefined : wanted.value;
  opening.value = { name, what: 'opening', done: 0, total: 1 };
  try {
    const onEvent = (progress: Progress): void => {
      if (current === controller) opening.value = { ...progress, name };
    };
    model.value = await worker.call('open', request, { onEvent, signal: controller.signal });
    wanted.value = request;
    return true;
  } catch (error) {
    if (isAborted(error)) return false;
    fail(error);
    if (before !== undefined && current === controller) await reopen(before);
    return false;
  } finally {
    if (current === controller) opening.value = undefined;
  }
}

async function reopen(request: OpenRequest): Promise<void> {
  try {
    model.value = await worker.call('open', request);
  } catch {
    model.value = undefined;
  }
}

export function openRef(ref: ModelRef, name: string): Promise<boolean> {
  return openModel({ ...wanted.value, model: ref }, name);
}

export function useBackend(backend: BackendWish): Promise<boolean> {
  return openModel({ ...wanted.value, backend }, model.value?.name ?? '');
}

export function useWeights(weights: OpenRequest['weights']): Promise<boolean> {
  return openModel({ ...wanted.value, weights }, model.value?.name ?? '');
}

/** Tries every backend once. */
export async function examine(): Promise<void> {
  if (verdicts.value.length > 0) return;
  verdicts.value = await worker.call('verdicts', undefined, {
    onEvent: (verdict) => {
      verdicts.value = [...verdicts.value, verdict];
    },
  });
}
