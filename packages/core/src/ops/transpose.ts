import type { OpDefinition } from '../ir/definition.ts';
import { badOp } from '../ir/patterns.ts';

export type TransposeSignature = {
  inputs: 'x';
  optional: never;
  outputs: 'y';
  attrs: { readonly axes: readonly number[] };
};

export const transpose: OpDefinition<TransposeSignature> = {
  kind: 'primitive',
  summary: 'Reorders the axes; the result is contiguous.',
  formula: 'axis i of y is axis axes[i] of x',
  inputs: { x: { shape: '*', doc: 'any shape' } },
  outputs: { y: { shape: '*', doc: 'of the reordered shape' } },
  attrs: { axes: { type: 'indices', doc: 'a permutation of the axes of x' } },
  infer({ x }, { axes }) {
    const sorted = [...axes].sort((a, b) => a - b);
    if (axes.length !== x.shape.length || !sorted.every((axis, i) => axis === i)) {
      throw badOp(`[${axes.join(',')}] is not a permutation of the axes`);
    }
    return { y: { dtype: 'f32', shape: axes.map((axis) => x.shape[axis] ?? 0) } };
  },
  vjp(b, _, { axes }, __, { y: g }) {
    if (g === undefined) return {};
    return { x: b.add('transpose', { x: g }, { axes: axes.map((__, i) => axes.indexOf(i)) }).y };
  },
  flops: () => 0,
};
