import type { DType } from '@receptance/core';
import type { Operand } from './kernel.ts';

/** How the numbers of a weight lie in GPU memory. Shaders know a format by its place in this list. */
export const FORMATS = ['f32', 'f16', 'bf16', 'q8_0', 'q4_0'] as const;
export type Format = (typeof FORMATS)[number];

/** Bytes that a shader reads at a time; weights begin at multiples of it, and so do rows of halves. */
export const CHUNK_BYTES = 16;
/** Weights in a chunk. */
export const PER_CHUNK: Readonly<Record<Format, number>> = { f32: 4, f16: 8, bf16: 8, q8_0: 16, q4_0: 32 };
const BLOCK = 32;

/** The same numbers in a format that shaders read: as stored, converted exactly, or widened to f32. */
export function formatOf(dtype: DType): Format {
  // Five-bit numbers under the same scale are eight-bit numbers.
  if (dtype === 'q5_0') return 'q8_0';
  return FORMATS.find((format) => format === dtype) ?? 'f32';
}

/** Whether the scales of blocks lie behind the numbers. */
export function isBlocked(format: Format): format is 'q8_0' | 'q4_0' {
  return format === 'q8_0' || format === 'q4_0';
}

/** Bytes of the numbers of so many rows: those of f32 lie one after the other, others begin at a chunk. */
export function numberBytes(format: Format, rows: number, columns: number): number {
  if (format === 'f32') return rows * columns * 4;
  return rows * Math.ceil(columns / PER_CHUNK[format]) * CHUNK_BYTES;
}

/** Bytes of the scales, one f16 a block. */
export function scaleBytes(format: Format, rows: number, columns: number): number {
  return isBlocked(format) ? (rows * columns * 2) / BLOCK : 0;
}

/** Rows of a weight that lie together, those of a weight too large for one binding in several parts. */
export interface WeightPart {
  readonly operand: Operand;
  /** Where it begins, in chunks. */
  readonly at: number;
  readonly firstRow: number;
  readonly rows: number;
}

/** A matrix as it lies in GPU memory, or the one row of a vector. */
export interface Weight {
  readonly format: Format;
  /** Whether its rows are the columns of the value: a matrix that is only read along them is stored so. */
  readonly flipped: boolean;
  readonly rows: number;
  readonly columns: number;
  readonly parts: readonly WeightPart[];
}
