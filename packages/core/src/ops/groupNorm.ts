import type { OpDefinition } from '../ir/definition.ts';
import { checkGroups } from '../ir/patterns.ts';

export type GroupNormSignature = {
  inputs: 'x' | 'w' | 'b';
  optional: never;
  outputs: 'y';
  attrs: { readonly groups: number; readonly eps: number };
};

export const groupNorm: OpDefinition<GroupNormSignature> = {
  kind: 'primitive',
  summary: 'Each group of channels (a head) of each row to mean 0 and variance 1, then scaled and shifted per channel.',
  formula: 'y = (x − mean_group) / sqrt(var_group + eps) · w + b',
  source: 'Wu, He 2018 (arXiv:1803.08494); ln_x of RWKV-5, 6, 7',
  inputs: {
    x: { shape: 'N C', doc: 'rows' },
    w: { shape: 'C', doc: 'scale' },
    b: { shape: 'C', doc: 'shift' },
  },
  outputs: { y: { shape: 'N C', doc: 'normed rows' } },
  attrs: {
    groups: { type: 'size', doc: 'number of heads' },
    eps: { type: 'epsilon', doc: '64e-5 in official models' },
  },
  constraints: ['groups divides C.', 'var is the population variance.'],
  infer({ x }, { groups }) {
    checkGroups(x.shape[1], groups);
    return {};
  },
  vjp(build, { x, w }, { groups, eps }, _, { y: gy }) {
    if (gy === undefined) return {};
    const g = build.add('groupNormGrad', { x, w, gy }, { groups, eps });
    return { x: g.gx, w: g.gw, b: g.gb };
  },
  flops: (_, __, { y }) => 8 * y,
};
