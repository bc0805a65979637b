import type { OpDefinition } from '../ir/definition.ts';
import { checkHeads } from '../ir/patterns.ts';

export type GatedNorm7Signature = {
  inputs: 'y' | 'r' | 'k' | 'v' | 'g' | 'r_k' | 'w' | 'b';
  optional: never;
  outputs: 'y';
  attrs: { readonly eps: number };
};

export const gatedNorm7: OpDefinition<GatedNorm7Signature> = {
  kind: 'composite',
  summary: 'What RWKV-7 makes of the memory’s answer: norm per head, bonus of the present token, gate.',
  formula: 'y = (groupNorm(y, H heads) + (Σ_head r · k · r_k) v) · g',
  source: 'Goose paper (arXiv:2503.14456)',
  inputs: {
    y: { shape: 'N C', doc: 'wkv7’s y' },
    r: { shape: 'N C', doc: 'receptance' },
    k: { shape: 'N C', doc: 'keys as wkv7 got them' },
    v: { shape: 'N C', doc: 'values as wkv7 got them' },
    g: { shape: 'N C', doc: 'gate' },
    r_k: { shape: 'H D', doc: 'bonus' },
    w: { shape: 'C', doc: 'ln_x.weight' },
    b: { shape: 'C', doc: 'ln_x.bias' },
  },
  outputs: { y: { shape: 'N C', doc: 'input of the output projection' } },
  attrs: { eps: { type: 'epsilon', doc: '64e-5 in official models' } },
  constraints: ['C = H · D.'],
  infer(_, __, dims) {
    checkHeads(dims);
    return {};
  },
  decompose(build, { y, r, k, v, g, r_k, w, b }, { eps }) {
    const [heads = 0, headSize = 0] = r_k.shape;
    const perHead = [y.shape[0] ?? 0, heads, headSize];
    const normed = build.add('groupNorm', { x: y, w, b }, { groups: Number(heads), eps }).y;
    const rk = build.binary('mul', build.reshape(build.binary('mul', r, k), perHead), r_k);
    const bonus = build.binary('mul', build.reduce('sum', rk, [2], true), build.reshape(v, perHead));
    const sum = build.binary('add', normed, build.reshape(bonus, y.shape));
    return { y: build.binary('mul', sum, g) };
  },
  flops: (_, __, { y }) => 14 * y,
};
