import type { ByteSource } from '@receptance/checkpoint';
import { ReceptanceError } from '@receptance/core';

/** A long row of token ids, read by ranges. */
export interface TokenSource {
  readonly length: number;
  /** Tokens `[start, end)`. */
  read(start: number, end: number): Promise<ArrayLike<number>>;
  /**
   * 1 for each of the tokens `[start, end)` that is to be foreseen, 0 for one that is only read: questions, beside their
   * answers. Left out, all are.
   */
  counts?(start: number, end: number): Promise<ArrayLike<number>>;
}

/**
 * Tokens in memory.
 * @param counts 1 for each token that is to be foreseen, 0 for one that is only read; by default all are
 */
export function tokenArray(tokens: ArrayLike<number>, counts?: ArrayLike<number>): TokenSource {
  const part = async (numbers: ArrayLike<number>, start: number, end: number): Promise<Int32Array> =>
    Int32Array.from({ length: end - start }, (_, i) => numbers[start + i] ?? 0);
  return {
    length: tokens.length,
    read: (start, end) => part(tokens, start, end),
    ...(counts === undefined ? {} : { counts: (start, end) => part(counts, start, end) }),
  };
}

/** Bytes of a token in a file of them. */
export type TokenWidth = 1 | 2 | 4;

/**
 * Token ids as unsigned little-endian numbers of `width` bytes one after the other: a file, a `Blob`, anything that reads
 * ranges of bytes. With a width of 1, any text is its own token file for the byte tokenizer.
 * @throws ReceptanceError `BAD_TOKENS` when the bytes are no whole tokens
 */
export function tokenBytes(source: ByteSource, width: TokenWidth): TokenSource {
  if (source.size % width !== 0) {
    throw new ReceptanceError('BAD_TOKENS', `${source.name} has ${source.size} bytes: no whole tokens of ${width}`, {
      hint: 'prepare the data again, or give the width that they were written with',
    });
  }
  return {
    length: source.size / width,
    async read(start, end) {
      const bytes = await source.read(start * width, end * width);
      if (width === 1) return bytes;
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      return width === 2
        ? Uint16Array.from({ length: end - start }, (_, i) => view.getUint16(2 * i, true))
        : Uint32Array.from({ length: end - start }, (_, i) => view.getUint32(4 * i, true));
    },
  };
}

/** A part of a source: for a held-out split, see `split`. */
export function tokenRange(source: TokenSource, start: number, end: number): TokenSource {
  const { counts } = source;
  return {
    length: end - start,
    read: (from, to) => source.read(start + from, start + to),
    ...(counts === undefined ? {} : { counts: (from, to) => counts.call(source, start + from, start + to) }),
  };
}

/**
 * The last part of the tokens set apart, to measure by.
 * @param heldOut a part of all tokens, 0 to 1
 */
export function split(
  source: TokenSource,
  heldOut: number,
): { readonly training: TokenSource; readonly heldOut: TokenSource } {
  if (!(heldOut >= 0 && heldOut < 1)) {
    throw new ReceptanceError('BAD_OPTION', `a part of ${heldOut} cannot be held out`, { hint: 'give 0 to below 1' });
  }
  const border = source.length - Math.floor(source.length * heldOut);
  return { training: tokenRange(source, 0, border), heldOut: tokenRange(source, border, source.length) };
}
