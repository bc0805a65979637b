import type { AbortSignalLike, WeightSource } from '@receptance/core';

/** Some bytes of a tensor. */
export interface Range {
  readonly name: string;
  readonly start: number;
  readonly end: number;
}

/** What was read of a piece. */
export interface Read<Piece extends Range> {
  readonly piece: Piece;
  readonly bytes: Uint8Array;
  /** 0 and 1 in turns. */
  readonly turn: number;
}

/**
 * Reads ranges one after the other, each while the one before it is worked on.
 * @param roomFor memory that a piece may be read into: not used any more for the piece two before it
 */
export async function* readAhead<Piece extends Range>(
  source: WeightSource,
  pieces: Iterable<Piece>,
  roomFor: (piece: Piece, turn: number) => Uint8Array,
  signal: AbortSignalLike | undefined,
): AsyncGenerator<Read<Piece>, void, undefined> {
  let before: { readonly piece: Piece; readonly turn: number; readonly reading: Promise<Uint8Array> } | undefined;
  try {
    for (const piece of pieces) {
      signal?.throwIfAborted();
      const { name, start, end } = piece;
      const turn = 1 - (before?.turn ?? 1);
      const reading = source.read(name, { start, end }, signal, roomFor(piece, turn));
      // Heard when it is waited for; when what came before fails, nobody does.
      reading.catch(() => {});
      if (before !== undefined) yield { ...before, bytes: await before.reading };
      before = { piece, turn, reading };
    }
    if (before !== undefined) yield { ...before, bytes: await before.reading };
  } finally {
    // Nothing is written any more to memory that may be given to others.
    await Promise.allSettled([before?.reading]);
  }
}
