import { halfValues } from '../half.ts';
import type { BlockReader } from './blocks.ts';

/**
 * The superblocks of GGUF: 256 numbers in parts of 16 or 32 that have small integer scales of their own, times one
 * half-precision scale d (and, for the smallest values of the parts, dmin). Rounded to f32 once, as ggml does.
 */
const PARTS = 8;
const PART = 32;

function half(view: DataView, at: number): number {
  return halfValues()[view.getUint16(at, true)] ?? 0;
}

/** Scale and smallest value of part `i`, of six bits each, out of the twelve bytes at `at` that hold all eight pairs. */
function sixBits(view: DataView, at: number, i: number): readonly [scale: number, least: number] {
  const first = view.getUint8(at + (i & 3));
  const second = view.getUint8(at + 4 + (i & 3));
  if (i < 4) return [first & 63, second & 63];
  const low = view.getUint8(at + 8 + (i & 3));
  return [(low & 15) | ((first >> 6) << 4), (low >> 4) | ((second >> 6) << 4)];
}

/** d, dmin, 12 bytes of scales, 128 of numbers: bytes 32i… hold parts 2i (low halves) and 2i + 1 (high halves). */
export const q4_k: BlockReader = (view, at, out, to) => {
  const d = half(view, at);
  const dmin = half(view, at + 2);
  for (let i = 0; i < PARTS; i++) {
    const [scale, least] = sixBits(view, at + 4, i);
    const [step, from] = [d * scale, dmin * least];
    const numbers = at + 16 + (i >> 1) * PART;
    const shift = (i & 1) * 4;
    for (let j = 0; j < PART; j++) {
      out[to + i * PART + j] = Math.fround(step * ((view.getUint8(numbers + j) >> shift) & 15) - from);
    }
  }
};

/** As q4_k, with 32 bytes of fifth bits before the numbers: bit i of byte j belongs to number j of part i. */
export const q5_k: BlockReader = (view, at, out, to) => {
  const d = half(view, at);
  const dmin = half(view, at + 2);
  for (let i = 0; i < PARTS; i++) {
    const [scale, least] = sixBits(view, at + 4, i);
    const [step, from] = [d * scale, dmin * least];
    const numbers = at + 48 + (i >> 1) * PART;
    const shift = (i & 1) * 4;
    for (let j = 0; j < PART; j++) {
      const fifth = (view.getUint8(at + 16 + j) >> i) & 1;
      const number = ((view.getUint8(numbers + j) >> shift) & 15) | (fifth << 4);
      out[to + i * PART + j] = Math.fround(step * number - from);
    }
  }
};

/**
 * 128 bytes of low halves, 64 of upper pairs of bits, 16 signed scales of parts of 16, d. Each half of the superblock has 64 and
 * 32 of the bytes: its number 32g + j has its low bits in byte 32(g & 1) + j, its upper in byte j.
 */
export const q6_k: BlockReader = (view, at, out, to) => {
  const d = half(view, at + 208);
  for (let i = 0; i < PARTS; i++) {
    const group = i & 3;
    const low = at + (i >> 2) * 64 + (group & 1) * PART;
    const high = at + 128 + (i >> 2) * PART;
    for (let j = 0; j < PART; j++) {
      const number =
        ((view.getUint8(low + j) >> ((group >> 1) * 4)) & 15) | (((view.getUint8(high + j) >> (group * 2)) & 3) << 4);
      const scale = view.getInt8(at + 192 + i * 2 + (j >> 4));
      out[to + i * PART + j] = Math.fround(d * scale * (number - 32));
    }
  }
};
