import { given, normal, type OpSpec } from '../spec.ts';

export const transpose: readonly OpSpec[] = [
  line('[N,5] by 1,0', normal(['N', 5]), [1, 0], { N: 7 }),
  line('[N,3,5] by 1,0,2', normal(['N', 3, 5]), [1, 0, 2], { N: 4 }),
  line('[N,3,5] by 2,0,1', normal(['N', 3, 5]), [2, 0, 1], { N: 4 }),
  line('[2,3,4,5] by 3,1,0,2', normal([2, 3, 4, 5]), [3, 1, 0, 2]),
  line('[N,3,5] by 0,1,2', normal(['N', 3, 5]), [0, 1, 2], { N: 4 }),
  line('[1,N]', normal([1, 'N']), [1, 0], { N: 6 }),
  line('[33,65]', normal([33, 65]), [1, 0]),
  line('empty', normal(['N', 5]), [1, 0], { N: 0 }),
  { ...line('known', given([2, 3], [1, 2, 3, 4, 5, 6]), [1, 0]), expected: { y: [1, 4, 2, 5, 3, 6] } },
];

function line(
  name: string,
  x: OpSpec['inputs'][string],
  axes: readonly number[],
  sizes: Record<string, number> = {},
): OpSpec {
  return { op: 'transpose', name, attrs: { axes }, sizes, inputs: { x } };
}
