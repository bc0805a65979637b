import type { OpDefinition } from '../ir/definition.ts';
import { badOp } from '../ir/patterns.ts';

export type LinearSignature = {
  inputs: 'x' | 'w';
  optional: never;
  outputs: 'y';
  attrs: { readonly transposed: boolean };
};

export const linear: OpDefinition<LinearSignature> = {
  kind: 'primitive',
  summary: 'Rows times a weight as it is stored; dequantisation happens inside the kernel.',
  formula: 'y = x @ wᵀ, or x @ w when transposed',
  inputs: {
    x: { shape: 'N I', doc: 'rows' },
    w: { shape: '*', dtype: 'weight', doc: '[out, in] as PyTorch’s Linear stores it; [in, out] when transposed' },
  },
  outputs: { y: { shape: '*', doc: '[N, out]' } },
  attrs: { transposed: { type: 'boolean', doc: 'the weight is stored [in, out], as the LoRA matrices w1, w2, … are' } },
  constraints: ['Sums are at least f32.'],
  infer({ x, w }, { transposed }) {
    const [inner, outer] = transposed ? [w.shape[0], w.shape[1]] : [w.shape[1], w.shape[0]];
    if (w.shape.length !== 2 || outer === undefined || inner !== x.shape[1]) throw badOp('weight and rows do not fit');
    return { y: { dtype: 'f32', shape: [x.shape[0] ?? 0, outer] } };
  },
  vjp(b, { x, w }, { transposed }, _, { y: g }) {
    if (g === undefined) return {};
    const [left, right] = transposed ? [x, g] : [g, x];
    return {
      x: b.linear(g, w, !transposed),
      w: b.add('matmul', { a: left, b: right }, { transposeA: true, transposeB: false }).y,
    };
  },
  flops: ({ I = 0 }, _, { y }) => 2 * I * y,
};
