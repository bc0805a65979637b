import { halfValues } from '../half.ts';

/**
 * Block formats of GGUF: 32 numbers under one scale d (and, in `_1` formats, one smallest value m), both half precision.
 * Number j of the first 16 is the low half of byte j, number j + 16 its high half; `q5` formats keep the fifth bits
 * of all numbers in one word before them.
 *
 * Products of a scale and a few bits are exact, so each result is rounded to f32 at most once: in the last operation,
 * as ggml does.
 */
type Numbers = Float32Array | Float64Array | Int32Array;

/** Writes the numbers of the block at byte `at` to `out` from `to` on. */
export type BlockReader = (view: DataView, at: number, out: Numbers, to: number) => void;

const ELEMENTS = 32;
const HALF = ELEMENTS / 2;

function half(view: DataView, at: number): number {
  return halfValues()[view.getUint16(at, true)] ?? 0;
}

export const q8_0: BlockReader = (view, at, out, to) => {
  const d = half(view, at);
  for (let j = 0; j < ELEMENTS; j++) out[to + j] = d * view.getInt8(at + 2 + j);
};

export const q4_0: BlockReader = (view, at, out, to) => {
  const d = half(view, at);
  for (let j = 0; j < HALF; j++) {
    const pair = view.getUint8(at + 2 + j);
    out[to + j] = d * ((pair & 15) - 8);
    out[to + j + HALF] = d * ((pair >> 4) - 8);
  }
};

export const q4_1: BlockReader = (view, at, out, to) => {
  const d = half(view, at);
  const m = half(view, at + 2);
  for (let j = 0; j < HALF; j++) {
    const pair = view.getUint8(at + 4 + j);
    out[to + j] = Math.fround(d * (pair & 15) + m);
    out[to + j + HALF] = Math.fround(d * (pair >> 4) + m);
  }
};

export const q5_0: BlockReader = (view, at, out, to) => {
  const d = half(view, at);
  const fifth = view.getUint32(at + 2, true);
  for (let j = 0; j < HALF; j++) {
    const pair = view.getUint8(at + 6 + j);
    out[to + j] = d * (((pair & 15) | (((fifth >>> j) & 1) << 4)) - 16);
    out[to + j + HALF] = d * (((pair >> 4) | (((fifth >>> (j + HALF)) & 1) << 4)) - 16);
  }
};

export const q5_1: BlockReader = (view, at, out, to) => {
  const d = half(view, at);
  const m = half(view, at + 2);
  const fifth = view.getUint32(at + 4, true);
  for (let j = 0; j < HALF; j++) {
    const pair = view.getUint8(at + 8 + j);
    out[to + j] = Math.fround(d * ((pair & 15) | (((fifth >>> j) & 1) << 4)) + m);
    out[to + j + HALF] = Math.fround(d * ((pair >> 4) | (((fifth >>> (j + HALF)) & 1) << 4)) + m);
  }
};
