import { elementCount, GraphBuilder, type Shape } from '@receptance/core';
import { type Case, NO_WEIGHTS } from '../case.ts';
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

/** Which a device may make at once with the sum, whatever the shapes and the eps. */
export function normsOfSums(): Case[] {
  return [
    normOfSum('of a sum that is read on', ['N', 3]),
    normOfSum('of a sum with one row for all', [3]),
    normOfSum('of a sum with one number a row', ['N', 1]),
  ];
}

function normOfSum(name: string, shape: Shape): Case {
  const id = `layerNorm/f32/${name}`;
  const b = new GraphBuilder(id);
  const sum = b.binary('add', b.input('x', 'f32', ['N', 3]), b.input('z', 'f32', shape));
  const [w, bias] = [b.constant([1, -2, 0.5]), b.constant([0, 1, 2])];
  b.output('y', b.add('layerNorm', { x: sum, w, b: bias }, { eps: 0.5 }).y);
  b.output('sum', b.unary('neg', sum));
  const sizes = { N: 2 };
  const x = Float32Array.of(1, -2, 3, -4, 5, -6);
  const z = Float32Array.from({ length: elementCount(shape, sizes) }, (_, i) => 7 - 3 * i);
  return { id, graph: b.build(), sizes, inputs: { x, z }, weights: NO_WEIGHTS, expected: 'reference' };
}
