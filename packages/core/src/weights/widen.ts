import { ReceptanceError } from '../errors.ts';
import { type AbortSignalLike, BLOCKS, type BlockDType, byteLength, type DType, type WeightSource } from './weights.ts';
import type { BlockReader } from './widen/blocks.ts';
import * as blocks from './widen/blocks.ts';
import { isPlain, widenPlain } from './widen/plain.ts';
import * as superblocks from './widen/superblocks.ts';

export { halfToNumber } from './half.ts';

/** Bytes read from a source at a time, so that loading needs little more memory than the weights themselves. */
const STAGING_BYTES = 4 << 20;

const BLOCK_READERS: Readonly<Record<BlockDType, BlockReader>> = { ...blocks, ...superblocks };

/**
 * Numbers of stored bytes, exact in f32 but for f64 and i32. Little-endian; block formats as GGUF lays them out, to the
 * same f32 numbers as ggml's.
 * @param out has room for all elements of `bytes` from `offset` on
 */
export function widen(
  dtype: DType,
  bytes: Uint8Array,
  out: Float32Array | Float64Array | Int32Array,
  offset = 0,
): void {
  if (isPlain(dtype)) return widenPlain(dtype, bytes, out, offset);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const block = BLOCKS[dtype];
  const read = BLOCK_READERS[dtype];
  const count = Math.floor(bytes.byteLength / block.bytes);
  for (let i = 0; i < count; i++) read(view, i * block.bytes, out, offset + i * block.elements);
}

/**
 * Reads a whole tensor in pieces and widens them one after the other.
 * @throws ReceptanceError `NOT_FINITE` when a weight is NaN or infinite: no text could come of it
 */
export async function readWidened(
  source: WeightSource,
  name: string,
  out: Float32Array | Float64Array | Int32Array,
  signal?: AbortSignalLike,
): Promise<void> {
  for await (const { dtype, bytes, offset } of storedPieces(source, name, out.length, signal)) {
    widen(dtype, bytes, out, offset);
  }
  checkFinite(name, out, 0);
}

/** Memory for pieces, used again by the next: what waits to be collected may be more than a small model. */
export class Staging {
  #bytes = new Uint8Array(0);
  #floats = new Float32Array(0);
  #integers = new Int32Array(0);

  bytes(length: number): Uint8Array<ArrayBuffer> {
    if (this.#bytes.length < length) this.#bytes = new Uint8Array(length);
    return this.#bytes.subarray(0, length);
  }

  numbers(dtype: 'f32' | 'i32', length: number): WidenedPiece['data'] {
    if (dtype === 'i32') {
      if (this.#integers.length < length) this.#integers = new Int32Array(length);
      return this.#integers.subarray(0, length);
    }
    if (this.#floats.length < length) this.#floats = new Float32Array(length);
    return this.#floats.subarray(0, length);
  }
}

/** Some elements of a tensor, from element `offset` on. */
export interface WidenedPiece {
  readonly offset: number;
  /** Valid until the next piece is asked for. */
  readonly data: Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer>;
}

/**
 * A tensor widened piece by piece, for devices whose memory is elsewhere: the host holds one piece at a time.
 * @param staging where pieces are held: one for all tensors of a model, where they are read one after the other
 * @throws ReceptanceError `NOT_FINITE` as `readWidened`
 */
export async function* widenedPieces(
  source: WeightSource,
  name: string,
  dtype: 'f32' | 'i32',
  signal?: AbortSignalLike,
  staging: Staging = new Staging(),
): AsyncGenerator<WidenedPiece, void, undefined> {
  const total = source.tensors.get(name)?.shape.reduce((product, size) => product * size, 1) ?? 0;
  for await (const piece of storedPieces(source, name, total, signal, staging)) {
    const data = staging.numbers(dtype, piece.elements);
    widen(piece.dtype, piece.bytes, data);
    checkFinite(name, data, piece.offset);
    yield { offset: piece.offset, data };
  }
}

/** The bytes of a tensor in pieces of whole blocks, each with the number of its first element. */
async function* storedPieces(
  source: WeightSource,
  name: string,
  elements: number,
  signal: AbortSignalLike | undefined,
  staging?: Staging,
) {
  const info = source.tensors.get(name);
  if (info === undefined) throw new ReceptanceError('UNKNOWN_TENSOR', `the weights have no tensor ${name}`);
  const block = BLOCKS[info.dtype];
  const blocks = Math.floor(STAGING_BYTES / block.bytes);
  const total = byteLength(info.dtype, elements);
  for (let start = 0, offset = 0; start < total; start += blocks * block.bytes, offset += blocks * block.elements) {
    signal?.throwIfAborted();
    const end = Math.min(total, start + blocks * block.bytes);
    const bytes = await source.read(name, { start, end }, signal, staging?.bytes(end - start));
    yield { dtype: info.dtype, bytes, offset, elements: (bytes.byteLength / block.bytes) * block.elements };
  }
}

/** @throws ReceptanceError `NOT_FINITE` naming the tensor and the element, counted from `offset` */
export function checkFinite(name: string, data: Float32Array | Float64Array | Int32Array, offset: number): void {
  for (let i = 0; i < data.length; i++) {
    if (Number.isFinite(data[i])) continue;
    throw new ReceptanceError('NOT_FINITE', `tensor ${name} holds ${data[i]} at element ${offset + i}`, {
      hint: 'the checkpoint is damaged, or its training had diverged',
    });
  }
}
