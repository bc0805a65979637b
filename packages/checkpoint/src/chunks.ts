import type { AbortSignalLike, WeightSource } from '@receptance/core';
import { BLOCKS } from '@receptance/core';

/** Bytes of a tensor that are held at a time while it is written. */
const CHUNK = 2 ** 22;

/** A tensor of a source in pieces of whole blocks. */
export async function* tensorChunks(
  source: WeightSource,
  name: string,
  signal: AbortSignalLike | undefined,
): AsyncGenerator<Uint8Array, void, undefined> {
  const info = source.tensors.get(name);
  if (info === undefined) return;
  const width = BLOCKS[info.dtype].bytes;
  const step = Math.floor(CHUNK / width) * width;
  for (let start = 0; start < info.bytes; start += step) {
    signal?.throwIfAborted();
    yield await source.read(name, { start, end: Math.min(info.bytes, start + step) }, signal);
  }
}
