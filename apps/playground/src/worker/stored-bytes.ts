import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import type { Progress } from '@receptance/core';
import { ReceptanceError } from '@receptance/core';
import { text } from '../text.ts';
import type { Entry } from './entry.ts';
import type { Context } from './handlers.ts';

/** Bytes that are in memory at a time. */
const PIECE = 4 << 20;

/** By pieces, which the platform's own hash cannot. */
export async function sha256Of(file: Blob, { emit, signal }: Context<Progress>): Promise<string> {
  const hash = sha256.create();
  for (let at = 0; at < file.size; at += PIECE) {
    signal.throwIfAborted();
    hash.update(new Uint8Array(await file.slice(at, at + PIECE).arrayBuffer()));
    emit({ what: 'checking', done: Math.min(file.size, at + PIECE), total: file.size });
  }
  return bytesToHex(hash.digest());
}

export async function copyInto(entry: Entry, file: Blob, { emit, signal }: Context<Progress>): Promise<void> {
  await ensureRoom(file.size);
  const access = await entry.access();
  try {
    for (let at = 0; at < file.size; at += PIECE) {
      signal.throwIfAborted();
      writeAll(access, new Uint8Array(await file.slice(at, at + PIECE).arrayBuffer()), at);
      emit({ what: 'copying', done: Math.min(file.size, at + PIECE), total: file.size });
    }
    access.flush();
  } finally {
    access.close();
  }
}

/** A write may be of fewer bytes than it was given, where the disk is full. */
export function writeAll(access: FileSystemSyncAccessHandle, bytes: Uint8Array, at: number): void {
  const written = access.write(bytes, { at });
  if (written < bytes.length) throw new DOMException('the disk is full', 'QuotaExceededError');
}

/** @throws ReceptanceError `NO_ROOM` before anything is fetched */
export async function ensureRoom(bytes: number): Promise<void> {
  const { usage = 0, quota = Number.POSITIVE_INFINITY } = await navigator.storage.estimate();
  if (bytes > quota - usage) throw noRoom(quota - usage, quota, bytes);
}

/** The browser's bare error becomes one that says how much there is and what to do. */
export async function explainingQuota<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const isQuota = error instanceof Error && error.name === 'QuotaExceededError';
    if (!isQuota) throw error;
    const { usage = 0, quota = 0 } = await navigator.storage.estimate();
    throw noRoom(quota - usage, quota, undefined);
  }
}

function noRoom(free: number, quota: number, wanted: number | undefined): ReceptanceError {
  return new ReceptanceError('NO_ROOM', text.errors.noRoom(free, quota, wanted), { hint: text.errors.noRoomHint });
}
