import { hashDigits } from '@receptance/checkpoint';
import type { TokenSource } from './token-source.ts';

/** Places of the data that are looked at, and tokens in each. */
const [PLACES, WINDOW] = [16, 64];

/**
 * Tells data apart: the hash of the tokens in a few places from the beginning to the end, and of which of them count. It
 * does not notice a change between those places.
 */
export async function dataFingerprint(data: TokenSource): Promise<string> {
  const last = Math.max(0, data.length - WINDOW);
  const parts: Uint8Array[] = [];
  for (let place = 0; place < PLACES; place++) {
    const start = Math.floor((last * place) / (PLACES - 1));
    const end = Math.min(data.length, start + WINDOW);
    for (const numbers of [await data.read(start, end), await data.counts?.(start, end)]) {
      parts.push(new Uint8Array(Int32Array.from(numbers ?? []).buffer));
    }
  }
  return hashDigits(parts);
}
