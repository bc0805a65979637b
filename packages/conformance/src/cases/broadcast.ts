import { normal, type OpSpec } from '../spec.ts';

export const broadcast: readonly OpSpec[] = [
  { op: 'broadcast', name: '[5] to [N,5]', attrs: { shape: ['N', 5] }, sizes: { N: 4 }, inputs: { x: normal([5]) } },
  {
    op: 'broadcast',
    name: '[N,1] to [N,5]',
    attrs: { shape: ['N', 5] },
    sizes: { N: 4 },
    inputs: { x: normal(['N', 1]) },
  },
  { op: 'broadcast', name: '[] to [N,3]', attrs: { shape: ['N', 3] }, sizes: { N: 4 }, inputs: { x: normal([]) } },
  {
    op: 'broadcast',
    name: '[2,1,3] to [N,2,4,3]',
    attrs: { shape: ['N', 2, 4, 3] },
    sizes: { N: 3 },
    inputs: { x: normal([2, 1, 3]) },
  },
  { op: 'broadcast', name: 'to no rows', attrs: { shape: ['N', 5] }, sizes: { N: 0 }, inputs: { x: normal([5]) } },
];
