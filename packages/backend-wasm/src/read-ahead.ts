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
  /** That of its batch: 0 and 1 in turns. */
  readonly turn: number;
}

/**
 * Reads batches of ranges one after the other, each while the one before it is worked on.
 * @param roomFor memory that a piece may be read into: not used any more for the batch two before it
 */
export async function* readAhead<Piece extends Range>(
  source: WeightSource,
  batches: Iterable<readonly Piece[]>,
  roomFor: (piece: Piece, turn: number) => Uint8Array,
  signal: AbortSignalLike | undefined,
): AsyncGenerator<readonly Read<Piece>[], void, undefined> {
  const readAll = async (batch: readonly Piece[], turn: number): Promise<Read<Piece>[]> => {
    const reads: Read<Piece>[] = [];
    for (const piece of batch) {
      signal?.throwIfAborted();
      const { name, start, end } = piece;
      reads.push({ piece, turn, bytes: await source.read(name, { start, end }, signal, roomFor(piece, turn)) });
    }
    return reads;
  };
  let before: Promise<Read<Piece>[]> | undefined;
  let turn = 0;
  try {
    for (const batch of batches) {
      const reading = readAll(batch, turn);
      // Heard when it is waited for; when what came before fails, nobody does.
      reading.catch(() => {});
      const done = before;
      before = reading;
      turn = 1 - turn;
      if (done !== undefined) yield await done;
    }
    if (before !== undefined) yield await before;
  } finally {
    // Nothing is written any more to memory that may be given to others.
    await Promise.allSettled([before]);
  }
}
