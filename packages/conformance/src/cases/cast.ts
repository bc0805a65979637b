import { given, integers, type OpSpec } from '../spec.ts';

export const cast: readonly OpSpec[] = [
  {
    ...{
      op: 'cast',
      name: 'f32 to i32',
      attrs: { dtype: 'i32' },
      inputs: { x: given([8], [0, 0.9, -0.9, 1.5, -1.5, 2.999, -7, 1e6]) },
    },
    expected: { y: [0, 0, 0, 1, -1, 2, -7, 1000000] },
  },
  {
    ...{
      op: 'cast',
      name: 'i32 to f32',
      attrs: { dtype: 'f32' },
      sizes: { N: 6 },
      inputs: { x: integers(['N'], [0, 1, -1, 65535, -16777216, 12]) },
    },
    expected: { y: [0, 1, -1, 65535, -16777216, 12] },
  },
  { op: 'cast', name: 'i32 to i32', attrs: { dtype: 'i32' }, inputs: { x: integers([3], [4, -5, 2147483647]) } },
  { op: 'cast', name: 'empty', attrs: { dtype: 'f32' }, sizes: { N: 0 }, inputs: { x: integers(['N'], [1]) } },
];
