import {
  type AbortSignalLike,
  byteLength,
  checkFinite,
  type DType,
  transposeMatrix,
  type WeightSource,
  widen,
  widenedPieces,
} from '@receptance/core';
import { splitBlocks } from './blocks.ts';
import type { PlacedTensor } from './placement.ts';
import { CHUNK_BYTES, isBlocked, numberBytes, scaleBytes } from './weight.ts';

/** Bytes read from a source at a time, so that the host holds little more. */
const STAGING_BYTES = 4 << 20;

/** Bytes for one part of a tensor, from `at` on counted from where the part begins. */
export interface Upload {
  readonly part: number;
  readonly at: number;
  readonly data: Uint8Array<ArrayBuffer>;
}

/**
 * A tensor in the bytes of its format, a few MiB at a time; a matrix that is turned is read whole.
 * @throws ReceptanceError `NOT_FINITE` when a weight is NaN or infinite
 */
export function uploads(
  source: WeightSource,
  tensor: PlacedTensor,
  signal?: AbortSignalLike,
): AsyncGenerator<Upload, void, undefined> {
  const stored = source.tensors.get(tensor.entry.name)?.dtype ?? 'f32';
  if (tensor.flipped) return turned(source, tensor, stored, signal);
  return tensor.format === 'f32' ? plain(source, tensor, signal) : byRows(source, tensor, stored, signal);
}

/** f32 or i32 numbers one after the other, cut where a part ends. */
async function* plain(
  source: WeightSource,
  { entry, columns, parts }: PlacedTensor,
  signal: AbortSignalLike | undefined,
): AsyncGenerator<Upload, void, undefined> {
  const dtype = entry.value.dtype === 'i32' ? 'i32' : 'f32';
  for await (const { offset, data } of widenedPieces(source, entry.name, dtype, signal)) {
    for (const [part, { firstRow, rows }] of parts.entries()) {
      const [begin, end] = [firstRow * columns, (firstRow + rows) * columns];
      const [from, to] = [Math.max(begin, offset), Math.min(end, offset + data.length)];
      if (from < to) yield { part, at: (from - begin) * 4, data: bytesOf(data.subarray(from - offset, to - offset)) };
    }
  }
}

/** Halves and blocks, by whole rows of each part. */
async function* byRows(
  source: WeightSource,
  { entry, format, columns, parts }: PlacedTensor,
  dtype: DType,
  signal: AbortSignalLike | undefined,
): AsyncGenerator<Upload, void, undefined> {
  // Even, so that the scales of a piece end at a word.
  const step = Math.max(2, Math.floor(STAGING_BYTES / byteLength(dtype, columns) / 2) * 2);
  for (const [part, { firstRow, rows }] of parts.entries()) {
    for (let first = 0; first < rows; first += step) {
      signal?.throwIfAborted();
      const taken = Math.min(step, rows - first);
      const begin = (firstRow + first) * columns;
      const range = { start: byteLength(dtype, begin), end: byteLength(dtype, begin + taken * columns) };
      const bytes = await source.read(entry.name, range, signal);
      const at = numberBytes(format, first, columns);
      if (isBlocked(format)) {
        const { numbers, scales } = splitBlocks(dtype, bytes);
        checkHalves(entry.name, 'f16', scales, dtype, bytes, begin);
        yield { part, at, data: numbers };
        const scalesAt = numberBytes(format, rows, columns) + scaleBytes(format, first, columns);
        yield { part, at: scalesAt, data: bytesOf(scales) };
      } else {
        const halves = halvesOf(bytes);
        checkHalves(entry.name, dtype, halves, dtype, bytes, begin);
        yield { part, at, data: padded(halves, taken, columns) };
      }
    }
  }
}

/** A matrix whose rows become columns. */
async function* turned(
  source: WeightSource,
  { entry, format, rows, columns, parts }: PlacedTensor,
  dtype: DType,
  signal: AbortSignalLike | undefined,
): AsyncGenerator<Upload, void, undefined> {
  const bytes = await source.read(entry.name, undefined, signal);
  let whole: Uint8Array<ArrayBuffer>;
  if (format === 'f32') {
    const numbers = new Float32Array(rows * columns);
    widen(dtype, bytes, numbers);
    checkFinite(entry.name, numbers, 0);
    whole = bytesOf(transposed(numbers, rows, columns));
  } else {
    const halves = halvesOf(bytes);
    checkHalves(entry.name, dtype, halves, dtype, bytes, 0);
    whole = padded(transposed(halves, rows, columns), rows, columns);
  }
  for (const [part, { firstRow, rows: count }] of parts.entries()) {
    const [begin, end] = [firstRow, firstRow + count].map((row) => numberBytes(format, row, columns));
    yield { part, at: 0, data: whole.subarray(begin, end) };
  }
}

/** The transpose, which has so many rows and columns. */
function transposed<Numbers extends Float32Array | Uint16Array>(from: Numbers, rows: number, columns: number): Numbers {
  const to = from.slice() as Numbers;
  transposeMatrix(from, to, columns, rows);
  return to;
}

/** Rows that each begin at a chunk, filled up with zeros. */
function padded(halves: Uint16Array<ArrayBuffer>, rows: number, columns: number): Uint8Array<ArrayBuffer> {
  const stride = Math.ceil(columns / (CHUNK_BYTES / 2)) * (CHUNK_BYTES / 2);
  if (stride === columns) return bytesOf(halves);
  const out = new Uint16Array(rows * stride);
  for (let row = 0; row < rows; row++) out.set(halves.subarray(row * columns, (row + 1) * columns), row * stride);
  return bytesOf(out);
}

/** Refuses infinities and NaN among halves: the exponent has no zero bit. */
function checkHalves(
  name: string,
  type: DType,
  halves: Uint16Array,
  dtype: DType,
  bytes: Uint8Array,
  offset: number,
): void {
  const exponent = type === 'bf16' ? 0x7f80 : 0x7c00;
  if (!halves.some((bits) => (bits & exponent) === exponent)) return;
  const numbers = new Float32Array(Math.ceil(bytes.byteLength / byteLength(dtype, 1)) * (type === dtype ? 1 : 32));
  widen(dtype, bytes, numbers);
  checkFinite(name, numbers, offset);
}

/** A copy that begins at an even address, as views of 16 bits must. Little-endian, as every GPU and its host. */
function halvesOf(bytes: Uint8Array): Uint16Array<ArrayBuffer> {
  const copy = new Uint8Array(Math.ceil(bytes.byteLength / 2) * 2);
  copy.set(bytes);
  return new Uint16Array(copy.buffer);
}

/** The bytes, with zeros up to a whole word. */
function bytesOf(
  data: Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer> | Uint16Array<ArrayBuffer>,
): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  if (bytes.byteLength % 4 === 0) return bytes;
  const whole = new Uint8Array(Math.ceil(bytes.byteLength / 4) * 4);
  whole.set(bytes);
  return whole;
}
