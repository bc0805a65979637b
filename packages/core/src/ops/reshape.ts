import type { OpDefinition } from '../ir/definition.ts';
import { badOp } from '../ir/patterns.ts';
import { parseDim } from '../ir/shape.ts';
import type { Dim, Shape } from '../ir/types.ts';

export type ReshapeSignature = {
  inputs: 'x';
  optional: never;
  outputs: 'y';
  attrs: { readonly shape: readonly Dim[] };
};

export const reshape: OpDefinition<ReshapeSignature> = {
  kind: 'primitive',
  summary: 'The same elements in the same order under another shape; never moves memory.',
  formula: 'y[flat i] = x[flat i]',
  inputs: { x: { shape: '*', dtype: 'any', doc: 'any shape' } },
  outputs: { y: { shape: '*', dtype: 'any', doc: 'of the new shape' } },
  attrs: { shape: { type: 'shape', doc: 'as many elements as x, the same symbols as often' } },
  infer({ x }, { shape }) {
    if (volume(x.shape) !== volume(shape)) throw badOp(`[${shape.join(',')}] has another number of elements`);
    return { y: { dtype: x.dtype, shape } };
  },
  vjp: (b, { x }, _, __, { y: g }) => (g === undefined ? {} : { x: b.reshape(g, x.shape) }),
  flops: () => 0,
};

/** Number of elements as a text in which the order of factors does not matter. */
function volume(shape: Shape): string {
  const numbers = shape.reduce<number>((product, dim) => (typeof dim === 'number' ? product * dim : product), 1);
  const symbols = shape
    .filter((dim) => typeof dim === 'string')
    .map((dim) => {
      const { symbol, plus } = parseDim(String(dim));
      return `${symbol}+${plus}`;
    });
  return [numbers, ...symbols.sort()].join('·');
}
