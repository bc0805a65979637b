import { given, indices, integers, normal, type OpSpec } from '../spec.ts';

export const scatterAdd: readonly OpSpec[] = [
  line('N=9,V=4,C=5', { ids: indices(['N'], 4), x: normal(['N', 5]) }, 4, { N: 9 }),
  line('all into one', { ids: integers(['N'], [2]), x: normal(['N', 3]) }, 4, { N: 33 }),
  line('wide', { ids: indices(['N'], 7), x: normal(['N', 130]) }, 7, { N: 5 }),
  {
    ...line('nothing', { ids: integers(['N'], [0]), x: normal(['N', 2]) }, 2, { N: 0 }),
    expected: { y: [0, 0, 0, 0] },
  },
  {
    ...line('known', { ids: integers([4], [1, 0, 1, 3]), x: given([4, 1], [1, 2, 4, 8]) }, 4),
    expected: { y: [2, 5, 0, 8] },
  },
];

function line(name: string, inputs: OpSpec['inputs'], rows: number, sizes: Record<string, number> = {}): OpSpec {
  return { op: 'scatterAdd', name, attrs: { rows }, sizes, inputs };
}
