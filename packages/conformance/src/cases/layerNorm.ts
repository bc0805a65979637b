import { given, normal, type OpSpec } from '../spec.ts';

export const layerNorm: readonly OpSpec[] = [
  line('N=5,C=9', normal(['N', 9]), 9, 1e-5, { N: 5 }),
  line('N=1,C=128', normal(['N', 128], 4), 128, 1e-5, { N: 1 }),
  line('N=3,C=257', normal(['N', 257]), 257, 1e-5, { N: 3 }),
  line('large eps', normal(['N', 12]), 12, 0.5, { N: 4 }),
  line('small numbers', normal(['N', 12], 1e-3), 12, 1e-5, { N: 4 }),
  line('no rows', normal(['N', 12]), 12, 1e-5, { N: 0 }),
  line('C=1', normal(['N', 1]), 1, 1e-5, { N: 3 }),
  { ...line('a constant row', given(['N', 4], [2]), 4, 1e-5, { N: 2 }), differentiable: false },
];

function line(
  name: string,
  x: OpSpec['inputs'][string],
  C: number,
  eps: number,
  sizes: Record<string, number>,
): OpSpec {
  return { op: 'layerNorm', name, attrs: { eps }, sizes, inputs: { x, w: normal([C]), b: normal([C]) } };
}
