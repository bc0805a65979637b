import type { OpSpec } from '../spec.ts';

export const full: readonly OpSpec[] = [
  {
    op: 'full',
    name: '[N,3]',
    attrs: { value: -2.5, shape: ['N', 3] },
    sizes: { N: 3 },
    inputs: {},
    expected: { y: new Array<number>(9).fill(-2.5) },
  },
  { op: 'full', name: 'scalar', attrs: { value: 7, shape: [] }, inputs: {}, expected: { y: [7] } },
  {
    op: 'full',
    name: 'very small',
    attrs: { value: -1e30, shape: [5] },
    inputs: {},
    expected: { y: new Array<number>(5).fill(-1e30) },
  },
];
