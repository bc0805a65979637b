import { given, normal, type OpSpec } from '../spec.ts';

const FUNCTIONS = ['sum', 'max', 'mean'] as const;

export const reduce: readonly OpSpec[] = [
  ...FUNCTIONS.flatMap((fn): OpSpec[] => [
    line(fn, '[N,9] over 1', normal(['N', 9]), [1], false, { N: 5 }),
    line(fn, '[N,9] over 0', normal(['N', 9]), [0], false, { N: 5 }),
    line(fn, '[N,3,5] over 2, kept', normal(['N', 3, 5]), [2], true, { N: 4 }),
    line(fn, '[N,3,5] over 0,2', normal(['N', 3, 5]), [0, 2], false, { N: 4 }),
    line(fn, '[N,3,5] over all', normal(['N', 3, 5]), [0, 1, 2], false, { N: 4 }),
    line(fn, '[N] of one', normal(['N']), [0], false, { N: 1 }),
    line(fn, '[1031] over 0', normal([1031]), [0], false),
    line(fn, 'no axes', normal(['N', 3]), [], false, { N: 4 }),
    line(fn, 'no rows', normal(['N', 3]), [1], false, { N: 0 }),
  ]),
  { ...line('sum', 'over nothing', normal(['N', 3]), [0], false, { N: 0 }), expected: { y: [0, 0, 0] } },
  {
    ...line('max', 'all negative', given([2, 3], [-3, -1, -2, -1e30, -5, -1e30]), [1], false),
    ...{ expected: { y: [-1, -5] }, differentiable: true },
  },
];

function line(
  fn: string,
  name: string,
  x: OpSpec['inputs'][string],
  axes: readonly number[],
  keepDims: boolean,
  sizes: Record<string, number> = {},
): OpSpec {
  return { op: 'reduce', name: `${fn},${name}`, attrs: { fn, axes, keepDims }, sizes, inputs: { x } };
}
