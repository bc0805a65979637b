import type { AbortSignalLike, ReceptanceError } from '@receptance/core';
import { checkpointError } from './errors.ts';

/** Random access to the bytes of something: a file, a `Blob`, an array, a range of a download. */
export interface ByteSource {
  readonly size: number;
  /** What errors call it. */
  readonly name: string;
  /**
   * Bytes `[start, end)` in an array that belongs to the caller: a fresh one, or `into` filled, which has exactly that length.
   * @throws ReceptanceError `TRUNCATED_FILE` when there are not that many, `BAD_RANGE` when that is no range.
   */
  read(start: number, end: number, signal?: AbortSignalLike, into?: Uint8Array): Promise<Uint8Array>;
  close?(): Promise<void>;
}

/** The bytes of an array that is already in memory. Reads copy, so the array may be dropped or reused after them. */
export function bytesSource(data: Uint8Array | ArrayBuffer, name = 'bytes'): ByteSource {
  const bytes = data instanceof Uint8Array ? data : new Uint8Array(data);
  const size = bytes.length;
  return {
    size,
    name,
    async read(start, end, signal) {
      signal?.throwIfAborted();
      checkRange({ size, name }, start, end);
      // A transferred buffer has no bytes any more.
      if (bytes.length < end) throw shortRead(name, start, end, bytes.length);
      return bytes.slice(start, end);
    },
  };
}

/** The bytes of a `Blob` or of a `File` that a person chose; nothing is read before it is asked for. */
export function blobSource(blob: Blob, name: string = nameOf(blob)): ByteSource {
  const { size } = blob;
  return {
    size,
    name,
    async read(start, end, signal) {
      signal?.throwIfAborted();
      checkRange({ size, name }, start, end);
      let bytes: Uint8Array;
      try {
        bytes = new Uint8Array(await blob.slice(start, end).arrayBuffer());
      } catch (cause) {
        throw readFailed(name, cause);
      }
      signal?.throwIfAborted();
      if (bytes.length !== end - start) throw shortRead(name, start, end, start + bytes.length);
      return bytes;
    },
  };
}

function nameOf(blob: Blob): string {
  return 'name' in blob && typeof blob.name === 'string' ? blob.name : 'blob';
}

/** Reads from any source, also from one that does not check itself. */
export async function readExactly(
  source: ByteSource,
  start: number,
  end: number,
  signal?: AbortSignalLike,
  into?: Uint8Array,
): Promise<Uint8Array> {
  signal?.throwIfAborted();
  checkRange(source, start, end);
  const bytes = await source.read(start, end, signal, into);
  signal?.throwIfAborted();
  if (bytes.length !== end - start) throw shortRead(source.name, start, end, start + bytes.length);
  return bytes;
}

export function checkRange(source: { readonly size: number; readonly name: string }, start: number, end: number): void {
  if (!Number.isSafeInteger(start) || !Number.isSafeInteger(end) || start < 0 || start > end) {
    throw checkpointError(
      'BAD_RANGE',
      source.name,
      `[${start}, ${end}) is not a range of bytes`,
      'give 0 ≤ start ≤ end as whole numbers',
    );
  }
  if (end > source.size) throw shortRead(source.name, start, end, source.size);
}

export function shortRead(name: string, start: number, end: number, got: number): ReceptanceError {
  return checkpointError(
    'TRUNCATED_FILE',
    name,
    `bytes ${start} to ${end} are wanted, but it ends at ${got}`,
    'the file is not complete, or changed while it was read: fetch or copy it again',
  );
}

export function readFailed(name: string, cause: unknown): ReceptanceError {
  return checkpointError(
    'READ_FAILED',
    name,
    `could not be read (${cause instanceof Error ? cause.message : String(cause)})`,
    'check that the file still exists, did not change, and may be read',
    cause,
  );
}
