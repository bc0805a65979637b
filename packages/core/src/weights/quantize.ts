import { ReceptanceError } from '../errors.ts';
import { F16, numberToHalf } from './half.ts';
import { BLOCKS, byteLength } from './weights.ts';

/** The block formats that can be written. */
export type QuantizedDType = 'q8_0' | 'q4_0';

const { fround } = Math;

/**
 * Numbers as blocks, the same bytes as ggml's reference quantisers make: every step is rounded to f32.
 * @param numbers whole blocks of 32
 * @throws ReceptanceError `BAD_SHAPE` for other lengths; `OVERFLOW` when a number is not finite or a block's scale is
 * beyond half precision
 */
export function quantize(dtype: QuantizedDType, numbers: Float32Array): Uint8Array<ArrayBuffer> {
  const { elements, bytes } = BLOCKS[dtype];
  if (numbers.length % elements !== 0) {
    throw new ReceptanceError('BAD_SHAPE', `${numbers.length} numbers are not whole blocks of ${elements}`, {
      hint: `${dtype} takes rows whose length is a multiple of ${elements}`,
    });
  }
  const out = new Uint8Array(byteLength(dtype, numbers.length));
  const view = new DataView(out.buffer);
  const write = dtype === 'q8_0' ? writeQ8 : writeQ4;
  for (let from = 0, at = 0; from < numbers.length; from += elements, at += bytes) write(numbers, from, view, at);
  return out;
}

function writeQ8(numbers: Float32Array, from: number, view: DataView, at: number): void {
  const d = fround(Math.abs(extreme(numbers, from)) / 127);
  const inverse = d === 0 ? 0 : fround(1 / d);
  writeScale(view, at, d, from);
  for (let j = 0; j < 32; j++) {
    const x = fround((numbers[from + j] ?? 0) * inverse);
    // Halves away from zero.
    view.setInt8(at + 2 + j, x < 0 ? Math.trunc(x - 0.5) : Math.trunc(x + 0.5));
  }
}

/** The number farthest from zero becomes -8 exactly, so that of 16 levels none is wasted. */
function writeQ4(numbers: Float32Array, from: number, view: DataView, at: number): void {
  const d = fround(extreme(numbers, from) / -8);
  const inverse = d === 0 ? 0 : fround(1 / d);
  writeScale(view, at, d, from);
  const level = (j: number): number =>
    Math.min(15, Math.trunc(fround(fround((numbers[from + j] ?? 0) * inverse) + 8.5)));
  for (let j = 0; j < 16; j++) view.setUint8(at + 2 + j, level(j) | (level(j + 16) << 4));
}

/** The first of a block's numbers that are farthest from zero. */
function extreme(numbers: Float32Array, from: number): number {
  let farthest = 0;
  let largest = 0;
  // NaN stays NaN, which no comparison would notice.
  let sum = 0;
  for (let j = from; j < from + 32; j++) {
    const x = numbers[j] ?? 0;
    sum += x;
    const size = Math.abs(x);
    if (size > largest) {
      largest = size;
      farthest = x;
    }
  }
  if (!Number.isFinite(sum)) throw overflow(`a number of the block from element ${from} on is not finite`);
  return farthest;
}

function writeScale(view: DataView, at: number, d: number, from: number): void {
  const bits = numberToHalf(d, F16);
  if ((bits & 0x7fff) === 0x7c00) throw overflow(`the block from element ${from} on needs the scale ${d}`);
  view.setUint16(at, bits, true);
}

function overflow(what: string): ReceptanceError {
  return new ReceptanceError('OVERFLOW', `${what}, beyond half precision`, {
    hint: 'the weights are damaged, or much larger than those of any trained model: keep them in f32',
  });
}
