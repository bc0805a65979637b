import { given, integers, normal, type OpSpec } from '../spec.ts';

export const select: readonly OpSpec[] = [
  line(
    'N=5,C=6',
    { condition: integers(['N', 6], [0, 1, 1, 0, 1]), a: normal(['N', 6]), b: normal(['N', 6]) },
    { N: 5 },
  ),
  line('scalars', { condition: integers(['N', 6], [0, 1, 0, 0]), a: normal(['N', 6]), b: normal([]) }, { N: 5 }),
  line('row condition', { condition: integers(['N', 1], [0, 1, 1]), a: normal([6]), b: normal(['N', 6]) }, { N: 3 }),
  line('empty', { condition: integers(['N', 1], [0]), a: normal([6]), b: normal(['N', 6]) }, { N: 0 }),
  {
    ...line('any number is true', {
      condition: integers([4], [0, 1, -1, 7]),
      ...{ a: given([4], [1, 2, 3, 4]), b: given([4], [5, 6, 7, 8]) },
    }),
    expected: { y: [5, 2, 3, 4] },
  },
];

function line(name: string, inputs: OpSpec['inputs'], sizes: Record<string, number> = {}): OpSpec {
  return { op: 'select', name, sizes, inputs };
}
