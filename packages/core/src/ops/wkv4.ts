import type { OpDefinition } from '../ir/definition.ts';

export type Wkv4Signature = {
  inputs: 'w' | 'u' | 'k' | 'v' | 'aa0' | 'bb0' | 'pp0' | 'starts';
  optional: 'slots';
  outputs: 'y' | 'aa' | 'bb' | 'pp';
  attrs: Record<never, never>;
};

export const wkv4: OpDefinition<Wkv4Signature> = {
  kind: 'primitive',
  summary: 'The weighted key-value average of RWKV-4: one exponential decay per channel, in log-sum-exp form.',
  formula: [
    'q = max(pp, u + k[t]);  y[t] = (e^{pp−q} aa + e^{u+k−q} v) / (e^{pp−q} bb + e^{u+k−q})',
    'q = max(pp + w, k[t]);  aa = e^{pp+w−q} aa + e^{k−q} v;  bb = e^{pp+w−q} bb + e^{k−q};  pp = q',
  ].join('\n'),
  source: 'RWKV-4 paper (arXiv:2305.13048), appendix on numerical stability',
  inputs: {
    w: { shape: 'C', doc: 'log decay per channel, −exp(time_decay) ≤ 0' },
    u: { shape: 'C', doc: 'bonus of the present token, time_first' },
    k: { shape: 'N C', doc: 'keys' },
    v: { shape: 'N C', doc: 'values' },
    aa0: { shape: 'S C', doc: 'numerator, scaled by e^{−pp}' },
    bb0: { shape: 'S C', doc: 'denominator, scaled by e^{−pp}' },
    pp0: { shape: 'S C', doc: 'their exponent; −1e30 at the start of a text' },
    starts: { shape: 'S+1', dtype: 'i32', doc: 'sequence s is rows starts[s] to starts[s+1]' },
  },
  optional: { slots: { shape: 'S', dtype: 'i32', doc: 'pool rows of the sequences (pooled form)' } },
  outputs: {
    y: { shape: 'N C', doc: 'weighted averages, before the receptance' },
    aa: { shape: 'S C', doc: 'the new aa0' },
    bb: { shape: 'S C', doc: 'the new bb0' },
    pp: { shape: 'S C', doc: 'the new pp0' },
  },
  state: { aa0: 'aa', bb0: 'bb', pp0: 'pp' },
  constraints: [
    'From pp = −1e30, or bb > 0, it holds for any finite k: |k| = 1e3 gives no overflow.',
    'An empty sequence keeps its state.',
  ],
  vjp(b, { w, u, k, v, aa0, bb0, pp0, starts }, _, __, { y: gy, aa: gaa, bb: gbb, pp: gpp }) {
    if (gy === undefined && gaa === undefined && gbb === undefined && gpp === undefined) return {};
    const zero = b.full(0, aa0.shape);
    const g = b.add('wkv4Grad', {
      ...{ w, u, k, v, aa0, bb0, pp0, starts },
      ...{ gy: gy ?? b.full(0, k.shape), gaa: gaa ?? zero, gbb: gbb ?? zero, gpp: gpp ?? zero },
    });
    return { w: g.gw, u: g.gu, k: g.gk, v: g.gv, aa0: g.gaa0, bb0: g.gbb0, pp0: g.gpp0 };
  },
  flops: (_, __, { y }) => 24 * y,
};
