import type { DType } from '@receptance/core';
import { given, indices, integers, normal, type OpSpec, weight } from '../spec.ts';

const STORED: readonly DType[] = ['f16', 'bf16', 'q8_0', 'q4_0'];

export const gather: readonly OpSpec[] = [
  line('V=11,C=6,N=5', { table: weight(normal([11, 6])), ids: indices(['N'], 11) }, { N: 5 }),
  line('edges', { table: weight(normal([11, 5])), ids: integers(['N'], [0, 10, 10, 0]) }, { N: 4 }),
  line('of an activation', { table: normal(['N', 7]), ids: integers(['R'], [4, 0, 4]) }, { N: 5, R: 3 }),
  line('no ids', { table: weight(normal([4, 3])), ids: integers(['N'], [0]) }, { N: 0 }),
  line('no rows wanted', { table: normal(['N', 7]), ids: integers(['R'], [0]) }, { N: 5, R: 0 }),
  line('one column', { table: weight(normal([300, 1])), ids: indices(['N'], 300) }, { N: 9 }),
  ...STORED.map((dtype) =>
    line(`table ${dtype}`, { table: weight(normal([9, 64]), dtype), ids: integers(['N'], [8, 0, 3, 3]) }, { N: 4 }),
  ),
  {
    ...line('known', { table: given([3, 2], [1, 2, 3, 4, 5, 6]), ids: integers([3], [2, 0, 2]) }),
    expected: { y: [5, 6, 1, 2, 5, 6] },
  },
];

function line(name: string, inputs: OpSpec['inputs'], sizes: Record<string, number> = {}): OpSpec {
  return { op: 'gather', name, sizes, inputs };
}
