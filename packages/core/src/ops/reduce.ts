import type { OpDefinition } from '../ir/definition.ts';
import { badOp } from '../ir/patterns.ts';
import type { Dim, Shape } from '../ir/types.ts';

export const REDUCE_FNS = ['sum', 'max', 'mean'] as const;
export type ReduceFn = (typeof REDUCE_FNS)[number];

export type ReduceSignature = {
  inputs: 'x';
  optional: never;
  outputs: 'y';
  attrs: { readonly fn: ReduceFn; readonly axes: readonly number[]; readonly keepDims: boolean };
};

export const reduce: OpDefinition<ReduceSignature> = {
  kind: 'primitive',
  summary: 'Folds axes away.',
  formula: 'y = fn over the axes of x',
  inputs: { x: { shape: '*', doc: 'any shape' } },
  outputs: { y: { shape: '*', doc: 'x without the axes, or with 1 in their place' } },
  attrs: {
    fn: { type: REDUCE_FNS, doc: 'how' },
    axes: { type: 'indices', doc: 'increasing, from 0' },
    keepDims: { type: 'boolean', doc: 'keep the axes as 1' },
  },
  constraints: ['The sum over no element is 0; max and mean need at least one.', 'Equal maxima share the gradient.'],
  infer({ x }, { axes, keepDims }) {
    const increasing = axes.every((axis, i) => Number.isInteger(axis) && axis >= 0 && axis > (axes[i - 1] ?? -1));
    if (!increasing || (axes.at(-1) ?? -1) >= x.shape.length) throw badOp(`axes [${axes.join(',')}] do not fit`);
    return { y: { dtype: 'f32', shape: reducedShape(x.shape, axes, keepDims) } };
  },
  flops: (_, __, ___, { x }) => x.reduce((product, size) => product * size, 1),
  vjp(b, { x }, { fn, axes }, { y }, { y: g }) {
    if (g === undefined) return {};
    const kept = reducedShape(x.shape, axes, true);
    const spread = b.broadcast(b.reshape(g, kept), x.shape);
    if (fn === 'sum') return { x: spread };
    const all = x.shape.filter((_, axis) => axes.includes(axis));
    const everyAxis = all.map((_, i) => i);
    if (fn === 'mean') return { x: b.binary('div', spread, b.reduce('sum', b.full(1, all), everyAxis)) };
    const hit = b.add('select', {
      condition: b.compare('eq', x, b.reshape(y, kept)),
      a: b.full(1, []),
      b: b.full(0, []),
    }).y;
    return { x: b.binary('mul', spread, b.binary('div', hit, b.reduce('sum', hit, axes, true))) };
  },
};

function reducedShape(shape: Shape, axes: readonly number[], keepDims: boolean): Dim[] {
  return shape.flatMap((dim, axis) => (axes.includes(axis) ? (keepDims ? [1] : []) : [dim]));
}
