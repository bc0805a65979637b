import { given, normal, type OpSpec } from '../spec.ts';

export const concat: readonly OpSpec[] = [
  line('[N,3]+[N,5]', { a: normal(['N', 3]), b: normal(['N', 5]) }, 1, { N: 4 }),
  line('[2,N]+[1,N]', { a: normal([2, 'N']), b: normal([1, 'N']) }, 0, { N: 5 }),
  line('[2,1,3]+[2,4,3]', { a: normal([2, 1, 3]), b: normal([2, 4, 3]) }, 1),
  line('nothing first', { a: normal(['N', 0]), b: normal(['N', 3]) }, 1, { N: 4 }),
  line('no rows', { a: normal(['N', 2]), b: normal(['N', 3]) }, 1, { N: 0 }),
  {
    ...line('known', { a: given([2, 1], [1, 2]), b: given([2, 2], [3, 4, 5, 6]) }, 1),
    expected: { y: [1, 3, 4, 2, 5, 6] },
  },
];

function line(name: string, inputs: OpSpec['inputs'], axis: number, sizes: Record<string, number> = {}): OpSpec {
  return { op: 'concat', name, attrs: { axis }, sizes, inputs };
}
