import type { OpDefinition } from '../ir/definition.ts';

export type LayerNormSignature = {
  inputs: 'x' | 'w' | 'b';
  optional: never;
  outputs: 'y';
  attrs: { readonly eps: number };
};

export const layerNorm: OpDefinition<LayerNormSignature> = {
  kind: 'primitive',
  summary: 'Each row to mean 0 and variance 1, then scaled and shifted per channel.',
  formula: 'y = (x − mean) / sqrt(var + eps) · w + b',
  source: 'Ba, Kiros, Hinton 2016 (arXiv:1607.06450)',
  inputs: {
    x: { shape: 'N C', doc: 'rows' },
    w: { shape: 'C', doc: 'scale' },
    b: { shape: 'C', doc: 'shift' },
  },
  outputs: { y: { shape: 'N C', doc: 'normed rows' } },
  attrs: { eps: { type: 'epsilon', doc: '1e-5 in all RWKV models' } },
  constraints: ['var is the population variance.'],
  vjp(build, { x, w }, { eps }, _, { y: gy }) {
    if (gy === undefined) return {};
    const g = build.add('groupNormGrad', { x, w, gy }, { groups: 1, eps });
    return { x: g.gx, w: g.gw, b: g.gb };
  },
  flops: (_, __, { y }) => 8 * y,
};
