import type { OpDefinition } from '../ir/definition.ts';
import { badOp } from '../ir/patterns.ts';
import { sameShape } from '../ir/shape.ts';
import type { Dim, Shape } from '../ir/types.ts';

export type MatmulSignature = {
  inputs: 'a' | 'b';
  optional: never;
  outputs: 'y';
  attrs: { readonly transposeA: boolean; readonly transposeB: boolean };
};

export const matmul: OpDefinition<MatmulSignature> = {
  kind: 'primitive',
  summary: 'Product of two activations; leading axes are a batch and equal on both sides.',
  formula: 'y = op(a) @ op(b), op transposes the last two axes where asked',
  inputs: { a: { shape: '*', doc: '[…, m, k]' }, b: { shape: '*', doc: '[…, k, n]' } },
  outputs: { y: { shape: '*', doc: '[…, m, n]' } },
  attrs: {
    transposeA: { type: 'boolean', doc: 'a is stored […, k, m]' },
    transposeB: { type: 'boolean', doc: 'b is stored […, n, k]' },
  },
  constraints: ['k may be a symbol; a product over k = 0 is 0.'],
  infer({ a, b }, { transposeA, transposeB }) {
    const [m, k] = matrix(a.shape, transposeA);
    const [inner, n] = matrix(b.shape, transposeB);
    if (k !== inner || !sameShape(a.shape.slice(0, -2), b.shape.slice(0, -2))) throw badOp('matrices do not fit');
    return { y: { dtype: 'f32', shape: [...a.shape.slice(0, -2), m, n] } };
  },
  vjp(build, { a, b }, { transposeA, transposeB }, _, { y: g }) {
    if (g === undefined) return {};
    const product = (x: typeof a, tx: boolean, y: typeof a, ty: boolean) =>
      build.add('matmul', { a: x, b: y }, { transposeA: tx, transposeB: ty }).y;
    return {
      a: transposeA ? product(b, transposeB, g, true) : product(g, false, b, !transposeB),
      b: transposeB ? product(g, true, a, transposeA) : product(a, !transposeA, g, false),
    };
  },
  flops: (_, { transposeA }, { y }, { a }) => 2 * (a.at(transposeA ? -2 : -1) ?? 0) * y,
};

function matrix(shape: Shape, transposed: boolean): readonly [Dim, Dim] {
  const [rows, columns] = [shape.at(-2), shape.at(-1)];
  if (rows === undefined || columns === undefined) throw badOp('operands need at least two axes');
  return transposed ? [columns, rows] : [rows, columns];
}
