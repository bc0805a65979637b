import type { DType } from '@receptance/core';

/**
 * The types of a .safetensors file that can be held, in the order the official writer puts tensors:
 * wide ones first, so that each starts at a multiple of its own width.
 */
export const DTYPES: ReadonlyMap<string, DType> = new Map([
  ['F64', 'f64'],
  ['F32', 'f32'],
  ['I32', 'i32'],
  ['BF16', 'bf16'],
  ['F16', 'f16'],
]);

/** The official reader's limit on the length of the header in bytes. */
export const LONGEST_HEADER = 100_000_000;

/** A key that would reach an object's prototype where a program copies names into a plain object. */
export const UNSAFE_NAME = '__proto__';
