import { signal } from '@preact/signals';
import type { Progress } from '@receptance/core';
import { text } from '../text.ts';
import type { StorageReport, StoredModel } from '../worker/protocol.ts';
import { openRef, wanted } from './model.ts';
import { fail, isAborted, say } from './notices.ts';
import { recall } from './texts.ts';
import { worker } from './worker.ts';

export const storage = signal<StorageReport>({ models: [], usage: 0, quota: 0 });

/** A download or copy under way. */
export interface Transfer extends Progress {
  readonly name: string;
  readonly pause: () => void;
}

export const transfer = signal<Transfer | undefined>(undefined);

export async function refresh(): Promise<void> {
  try {
    storage.value = await worker.call('stored', undefined);
  } catch (error) {
    fail(error);
  }
}

/** Downloads to this browser and opens what came. Pausing keeps what has come. */
export async function download(url: string, sha256?: string): Promise<void> {
  const name = url.split('/').at(-1) ?? url;
  const stored = await keeping(name, (options) => worker.call('download', { url, sha256 }, options));
  if (stored !== undefined) await openStored(stored);
}

/** Copies the file that is open. The model stays as it is: to open the copy would be to have it in memory twice. */
export async function keepFile(file: File, vocabulary: File | undefined): Promise<void> {
  const stored = await keeping(file.name, (options) => worker.call('keep', { file, vocabulary }, options));
  const { model } = wanted.value;
  if (stored !== undefined && model.kind === 'file' && model.file === file)
    wanted.value = { ...wanted.value, model: { kind: 'stored', id: stored.id } };
}

type TransferOptions = { readonly onEvent: (progress: Progress) => void; readonly signal: AbortSignal };

async function keeping(
  name: string,
  work: (options: TransferOptions) => Promise<StoredModel>,
): Promise<StoredModel | undefined> {
  if (transfer.value !== undefined) return undefined;
  const controller = new AbortController();
  const pause = (): void => controller.abort();
  transfer.value = { name, pause, what: 'connecting', done: 0, total: 0 };
  try {
    // Asks the browser not to throw models away when disks fill up; it may say no.
    await navigator.storage.persist();
    const onEvent = (progress: Progress): void => {
      transfer.value = { ...progress, name, pause };
    };
    return await work({ onEvent, signal: controller.signal });
  } catch (error) {
    if (!isAborted(error)) fail(error);
    return undefined;
  } finally {
    transfer.value = undefined;
    await refresh();
  }
}

export async function openStored({ id, name }: StoredModel): Promise<void> {
  if (await openRef({ kind: 'stored', id }, name)) await recall();
}

export async function removeStored(id: string): Promise<void> {
  try {
    await worker.call('remove', id);
  } catch (error) {
    fail(error);
  }
  await refresh();
}

export async function verifyStored({ id, name }: StoredModel): Promise<void> {
  try {
    const { intact } = await worker.call('verify', id);
    if (intact) say(text.models.intact(name));
    else fail(new Error(text.models.notIntact(name)));
  } catch (error) {
    fail(error);
  }
}
