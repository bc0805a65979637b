import type { DType } from '@receptance/core';
import { given, normal, type OpSpec, weight } from '../spec.ts';

const SIZES = [
  { N: 1, I: 64, O: 48 },
  { N: 5, I: 64, O: 33 },
  { N: 17, I: 32, O: 7 },
  { N: 1, I: 1, O: 1 },
  { N: 3, I: 7, O: 5 },
  { N: 2, I: 130, O: 9 },
  { N: 33, I: 36, O: 20 },
  { N: 0, I: 8, O: 4 },
] as const;
const STORED: readonly DType[] = ['f16', 'bf16', 'q8_0', 'q4_0'];

export const linear: readonly OpSpec[] = [
  ...SIZES.flatMap(({ N, I, O }) => [line('f32', N, I, O, false), line('f32', N, I, O, true)]),
  ...STORED.flatMap((dtype) => [
    line(dtype, 1, 64, 48, false),
    line(dtype, 5, 96, 13, false),
    line(dtype, 1, 64, 32, true),
    line(dtype, 6, 40, 64, true),
  ]),
  ...(['f16', 'bf16'] as const).flatMap((dtype) => [line(dtype, 3, 7, 5, false), line(dtype, 3, 7, 5, true)]),
  {
    ...{ op: 'linear', name: 'weight not symmetric', attrs: { transposed: false } },
    ...{ inputs: { x: given([1, 2], [1, 10]), w: weight(given([2, 2], [1, 2, 3, 4])) }, expected: { y: [21, 43] } },
  },
  {
    ...{ op: 'linear', name: 'weight not symmetric, transposed', attrs: { transposed: true } },
    ...{ inputs: { x: given([1, 2], [1, 10]), w: weight(given([2, 2], [1, 2, 3, 4])) }, expected: { y: [31, 42] } },
  },
];

function line(dtype: DType, N: number, I: number, O: number, transposed: boolean): OpSpec {
  const w = weight(normal(transposed ? [I, O] : [O, I], I ** -0.5), dtype);
  return {
    ...{ op: 'linear', name: `${dtype},N=${N},I=${I},O=${O}${transposed ? ',transposed' : ''}` },
    ...{ attrs: { transposed }, sizes: { N }, inputs: { x: normal(['N', I]), w } },
  };
}
