import { normal, type OpSpec } from '../spec.ts';

export const groupNorm: readonly OpSpec[] = [
  line('N=5,C=12,groups=3', normal(['N', 12]), 12, 3, 64e-5, { N: 5 }),
  line('N=2,C=128,groups=2', normal(['N', 128], 3), 128, 2, 64e-5, { N: 2 }),
  line('N=3,C=35,groups=5', normal(['N', 35]), 35, 5, 1e-5, { N: 3 }),
  line('one group', normal(['N', 10]), 10, 1, 64e-5, { N: 3 }),
  line('large eps', normal(['N', 12]), 12, 3, 0.5, { N: 3 }),
  line('small numbers', normal(['N', 12], 1e-2), 12, 3, 64e-5, { N: 3 }),
  line('no rows', normal(['N', 12]), 12, 3, 64e-5, { N: 0 }),
];

function line(
  name: string,
  x: OpSpec['inputs'][string],
  C: number,
  groups: number,
  eps: number,
  sizes: Record<string, number>,
): OpSpec {
  return { op: 'groupNorm', name, attrs: { groups, eps }, sizes, inputs: { x, w: normal([C]), b: normal([C]) } };
}
