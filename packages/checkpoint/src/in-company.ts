import type { ByteSource } from './byte-source.ts';
import { checkRange } from './byte-source.ts';

/** Bytes of a read that is worth having company. */
const SMALL = 2 ** 14;
/** Bytes that are read in place of a small read. */
const WINDOW = 2 ** 16;

/**
 * The same source, read in fewer pieces: where little is asked for, what comes after it is read as well, and given out when it is
 * asked for next. A model has ten vectors for each matrix, side by side, and a request to a server takes as long for either.
 */
export function inCompany(source: ByteSource): ByteSource {
  const { size, name } = source;
  let window: { readonly start: number; readonly end: number; readonly bytes: Promise<Uint8Array> } | undefined;
  const opened = (start: number): NonNullable<typeof window> => {
    const end = Math.min(size, start + WINDOW);
    const made = { start, end, bytes: source.read(start, end) };
    window = made;
    made.bytes.catch(() => {
      if (window === made) window = undefined;
    });
    return made;
  };
  return {
    size,
    name,
    async read(start, end, signal, into) {
      if (end - start > SMALL) return source.read(start, end, signal, into);
      signal?.throwIfAborted();
      checkRange(source, start, end);
      const near = window !== undefined && window.start <= start && end <= window.end ? window : opened(start);
      const bytes = (await near.bytes).subarray(start - near.start, end - near.start);
      signal?.throwIfAborted();
      if (into === undefined) return new Uint8Array(bytes);
      into.set(bytes);
      return into;
    },
    ...(source.close && { close: () => source.close?.() ?? Promise.resolve() }),
  };
}
