import type { OpSpec } from '../spec.ts';

export const constant: readonly OpSpec[] = [
  {
    op: 'constant',
    name: 'f32',
    attrs: { data: [1, -2.5, 1e-3, 3e8], dtype: 'f32', shape: [2, 2] },
    inputs: {},
    expected: { y: [1, -2.5, Math.fround(1e-3), 3e8] },
  },
  {
    op: 'constant',
    name: 'i32',
    attrs: { data: [0, -1, 2147483647], dtype: 'i32', shape: [3] },
    inputs: {},
    expected: { y: [0, -1, 2147483647] },
  },
];
