import type { AbortSignalLike } from '@receptance/core';
import type { ByteSource } from './byte-source.ts';
import { checkRange, readExactly } from './byte-source.ts';

/** Bytes of a read that is worth having company. */
const SMALL = 2 ** 14;
/** Bytes that are read in place of a small read. */
const WINDOW = 2 ** 16;

interface Window {
  readonly start: number;
  readonly end: number;
  readonly bytes: Promise<Uint8Array>;
  /** Reads that wait for the bytes; the last one to give up stops them. */
  waiting: number;
  readonly controller: AbortController;
}

/**
 * The same bytes, read in fewer pieces: where little is asked for, what comes after it is read as well, and given out when it is
 * asked for next. A model has ten vectors for each matrix, side by side, and a request to a server takes as long for either.
 */
export function inCompany(source: ByteSource): ByteSource {
  const { size, name } = source;
  let window: Window | undefined;
  const opened = (start: number): Window => {
    const end = Math.min(size, start + WINDOW);
    const controller = new AbortController();
    window = { start, end, bytes: readExactly(source, start, end, controller.signal), waiting: 0, controller };
    return window;
  };
  return {
    size,
    name,
    async read(start, end, signal, into) {
      if (end - start > SMALL) return source.read(start, end, signal, into);
      signal?.throwIfAborted();
      checkRange(source, start, end);
      const near = window !== undefined && window.start <= start && end <= window.end ? window : opened(start);
      near.waiting++;
      try {
        const bytes = (await unlessAborted(near.bytes, signal)).subarray(start - near.start, end - near.start);
        signal?.throwIfAborted();
        if (into === undefined) return new Uint8Array(bytes);
        into.set(bytes);
        return into;
      } catch (error) {
        if (window === near) window = undefined;
        if (near.waiting === 1) near.controller.abort();
        throw error;
      } finally {
        near.waiting--;
      }
    },
  };
}

/** What the promise gives, or the signal's reason as soon as it is aborted. One that is no `AbortSignal` cannot be listened to. */
function unlessAborted<T>(promise: Promise<T>, signal: AbortSignalLike | undefined): Promise<T> {
  if (!(signal instanceof AbortSignal)) return promise;
  return new Promise((resolve, reject) => {
    const stop = (): void => reject(signal.reason);
    signal.addEventListener('abort', stop, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop));
  });
}
