import { integers, normal, type OpSpec } from '../spec.ts';

export const reshape: readonly OpSpec[] = [
  {
    op: 'reshape',
    name: '[N,6] to [N,2,3]',
    attrs: { shape: ['N', 2, 3] },
    sizes: { N: 4 },
    inputs: { x: normal(['N', 6]) },
  },
  {
    op: 'reshape',
    name: '[3,N] to [N,3]',
    attrs: { shape: ['N', 3] },
    sizes: { N: 4 },
    inputs: { x: normal([3, 'N']) },
  },
  { op: 'reshape', name: '[1] to []', attrs: { shape: [] }, inputs: { x: normal([1]) } },
  { op: 'reshape', name: 'i32', attrs: { shape: [3, 2] }, inputs: { x: integers([6], [5, 4, 3, 2, 1, 0]) } },
  { op: 'reshape', name: 'empty', attrs: { shape: ['N', 2, 3] }, sizes: { N: 0 }, inputs: { x: normal(['N', 6]) } },
];
