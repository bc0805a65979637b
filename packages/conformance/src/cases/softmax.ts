import { given, normal, type OpSpec } from '../spec.ts';

export const softmax: readonly OpSpec[] = [
  { op: 'softmax', name: 'N=5,V=9', sizes: { N: 5 }, inputs: { x: normal(['N', 9], 3) } },
  { op: 'softmax', name: 'N=2,V=301', sizes: { N: 2 }, inputs: { x: normal(['N', 301], 3) } },
  { op: 'softmax', name: '[N,2,7]', sizes: { N: 3 }, inputs: { x: normal(['N', 2, 7]) } },
  { op: 'softmax', name: 'V=1', sizes: { N: 3 }, inputs: { x: normal(['N', 1], 50) }, expected: { y: [1, 1, 1] } },
  { op: 'softmax', name: 'no rows', sizes: { N: 0 }, inputs: { x: normal(['N', 4]) } },
  {
    op: 'softmax',
    name: 'extreme',
    inputs: { x: given([3, 4], [1e4, -1e4, 0, 9999, -1e4, -1e4, -1e4, -1e30, 1e30, 0, 1, 2]) },
    differentiable: false,
  },
  {
    op: 'softmax',
    name: 'equal',
    inputs: { x: given([2, 4], [3, 3, 3, 3, -7, -7, -7, -7]) },
    expected: { y: new Array<number>(8).fill(0.25) },
  },
];
