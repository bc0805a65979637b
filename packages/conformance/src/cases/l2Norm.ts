import { given, normal, type OpSpec } from '../spec.ts';

export const l2Norm: readonly OpSpec[] = [
  line('N=5,C=12,groups=3', normal(['N', 12]), 3, 1e-12, { N: 5 }),
  line('N=2,C=128,groups=2', normal(['N', 128], 3), 2, 1e-12, { N: 2 }),
  line('N=3,C=35,groups=5', normal(['N', 35]), 5, 1e-12, { N: 3 }),
  line('one group', normal(['N', 10]), 1, 1e-12, { N: 3 }),
  line('no rows', normal(['N', 12]), 3, 1e-12, { N: 0 }),
  { ...line('shorter than eps', normal(['N', 12], 0.01), 3, 0.5, { N: 3 }), differentiable: false },
  {
    ...line('zeros', given([1, 6], [0, 0, 0, 3, 0, -4]), 2, 1e-12, {}),
    ...{ expected: { y: [0, 0, 0, 0.6, 0, -0.8] }, differentiable: false },
  },
];

function line(
  name: string,
  x: OpSpec['inputs'][string],
  groups: number,
  eps: number,
  sizes: Record<string, number>,
): OpSpec {
  return { op: 'l2Norm', name, attrs: { groups, eps }, sizes, inputs: { x } };
}
