import { normalizeVjp } from '../autodiff/normalize.ts';
import type { OpDefinition } from '../ir/definition.ts';
import { checkGroups } from '../ir/patterns.ts';

export type GroupNormGradSignature = {
  inputs: 'x' | 'w' | 'gy';
  optional: never;
  outputs: 'gx' | 'gw' | 'gb';
  attrs: { readonly groups: number; readonly eps: number };
};

export const groupNormGrad: OpDefinition<GroupNormGradSignature> = {
  kind: 'composite',
  summary: 'Gradient of groupNorm, and with one group of layerNorm.',
  formula: [
    'x̂ = (x − mean_group) / sqrt(var_group + eps);  h = gy · w',
    'gx = (h − mean_group h − x̂ · mean_group(h · x̂)) / sqrt(var_group + eps)',
    'gw = Σ_rows gy · x̂;  gb = Σ_rows gy',
  ].join('\n'),
  source: 'derivative of the groupNorm formula',
  inputs: {
    x: { shape: 'N C', doc: 'as in groupNorm' },
    w: { shape: 'C', doc: 'as in groupNorm' },
    gy: { shape: 'N C', doc: 'gradient of y' },
  },
  outputs: {
    gx: { shape: 'N C', doc: 'gradient of x' },
    gw: { shape: 'C', doc: 'gradient of w' },
    gb: { shape: 'C', doc: 'gradient of b' },
  },
  attrs: {
    groups: { type: 'size', doc: 'as in groupNorm' },
    eps: { type: 'epsilon', doc: 'as in groupNorm' },
  },
  constraints: ['groups divides C.'],
  infer({ x }, { groups }) {
    checkGroups(x.shape[1], groups);
    return {};
  },
  decompose(b, { x, w, gy }, { groups, eps }) {
    const g = normalizeVjp(b, { x, w }, groups, eps, gy);
    return { gx: g.x, gw: g.w, gb: g.b };
  },
  flops: (_, __, { gx }) => 18 * gx,
};
