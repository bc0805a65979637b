import { given, normal, type OpSpec } from '../spec.ts';

export const slice: readonly OpSpec[] = [
  line('[N,7] 2:5', normal(['N', 7]), 1, 2, 5, { N: 4 }),
  line('[N,7] whole', normal(['N', 7]), 1, 0, 7, { N: 4 }),
  line('[N,7] last', normal(['N', 7]), 1, 6, 7, { N: 4 }),
  line('[5,N] 1:4', normal([5, 'N']), 0, 1, 4, { N: 3 }),
  line('[2,5,3] 1:2', normal([2, 5, 3]), 1, 1, 2),
  line('nothing', normal(['N', 7]), 1, 3, 3, { N: 4 }),
  line('no rows', normal(['N', 7]), 1, 2, 5, { N: 0 }),
  { ...line('known', given([2, 4], [1, 2, 3, 4, 5, 6, 7, 8]), 1, 1, 3), expected: { y: [2, 3, 6, 7] } },
];

function line(
  name: string,
  x: OpSpec['inputs'][string],
  axis: number,
  start: number,
  end: number,
  sizes: Record<string, number> = {},
): OpSpec {
  return { op: 'slice', name, attrs: { axis, start, end }, sizes, inputs: { x } };
}
