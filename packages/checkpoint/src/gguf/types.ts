import type { DType } from '@receptance/core';

/** Tensor types by their number in the file: those that can be held, and names for errors about the others. */
export const TENSOR_TYPES: ReadonlyMap<number, { readonly name: string; readonly dtype?: DType }> = new Map([
  [0, { name: 'F32', dtype: 'f32' }],
  [1, { name: 'F16', dtype: 'f16' }],
  [2, { name: 'Q4_0', dtype: 'q4_0' }],
  [3, { name: 'Q4_1', dtype: 'q4_1' }],
  [6, { name: 'Q5_0', dtype: 'q5_0' }],
  [7, { name: 'Q5_1', dtype: 'q5_1' }],
  [8, { name: 'Q8_0', dtype: 'q8_0' }],
  [9, { name: 'Q8_1' }],
  [10, { name: 'Q2_K' }],
  [11, { name: 'Q3_K' }],
  [12, { name: 'Q4_K', dtype: 'q4_k' }],
  [13, { name: 'Q5_K', dtype: 'q5_k' }],
  [14, { name: 'Q6_K', dtype: 'q6_k' }],
  [15, { name: 'Q8_K' }],
  [16, { name: 'IQ2_XXS' }],
  [17, { name: 'IQ2_XS' }],
  [18, { name: 'IQ3_XXS' }],
  [19, { name: 'IQ1_S' }],
  [20, { name: 'IQ4_NL' }],
  [21, { name: 'IQ3_S' }],
  [22, { name: 'IQ2_S' }],
  [23, { name: 'IQ4_XS' }],
  [24, { name: 'I8' }],
  [25, { name: 'I16' }],
  [26, { name: 'I32' }],
  [27, { name: 'I64' }],
  [28, { name: 'F64' }],
  [29, { name: 'IQ1_M' }],
  [30, { name: 'BF16', dtype: 'bf16' }],
  [34, { name: 'TQ1_0' }],
  [35, { name: 'TQ2_0' }],
  [39, { name: 'MXFP4' }],
]);

/** Types of metadata values by their number in the file. */
export const VALUE = {
  u8: 0,
  i8: 1,
  u16: 2,
  i16: 3,
  u32: 4,
  i32: 5,
  f32: 6,
  bool: 7,
  string: 8,
  array: 9,
  u64: 10,
  i64: 11,
  f64: 12,
} as const;

/** Data and every tensor begin at a multiple of this, unless `general.alignment` says otherwise. */
export const ALIGNMENT = 32;
