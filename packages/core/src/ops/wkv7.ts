import type { OpDefinition } from '../ir/definition.ts';

export type Wkv7Signature = {
  inputs: 'r' | 'lw' | 'k' | 'v' | 'a' | 'b' | 's0' | 'starts';
  optional: 'slots';
  outputs: 'y' | 's';
  attrs: Record<never, never>;
};

export const wkv7: OpDefinition<Wkv7Signature> = {
  kind: 'primitive',
  summary: 'The memory of RWKV-7: a matrix that decays, forgets along a and learns along k (generalised delta rule).',
  formula: ['S = S diag(e^{lw[t]}) + (S a[t]) b[t]ᵀ + v[t] k[t]ᵀ', 'y[t] = S r[t]'].join('\n'),
  source: 'Goose paper (arXiv:2503.14456)',
  inputs: {
    r: { shape: 'N H D', doc: 'receptance' },
    lw: { shape: 'N H D', doc: 'log decay ≤ 0 of the columns of S' },
    k: { shape: 'N H D', doc: 'keys' },
    v: { shape: 'N H D', doc: 'values' },
    a: { shape: 'N H D', doc: 'what is removed: −kk' },
    b: { shape: 'N H D', doc: 'where it is removed: kk · in-context learning rate' },
    s0: { shape: 'S H D D', doc: 'state [value, key] of each sequence' },
    starts: { shape: 'S+1', dtype: 'i32', doc: 'sequence s is rows starts[s] to starts[s+1]' },
  },
  optional: { slots: { shape: 'S', dtype: 'i32', doc: 'pool rows of the sequences (pooled form)' } },
  outputs: { y: { shape: 'N H D', doc: 'read after the update' }, s: { shape: 'S H D D', doc: 'the new s0' } },
  state: { s0: 's' },
  constraints: ['S a reads the state before the decay.', 'An empty sequence keeps its state.'],
  vjp(build, { r, lw, k, v, a, b, s0, starts }, _, __, { y: gy, s: gs }) {
    if (gy === undefined && gs === undefined) return {};
    const g = build.add('wkv7Grad', {
      ...{ r, lw, k, v, a, b, s0, starts },
      ...{ gy: gy ?? build.full(0, r.shape), gs: gs ?? build.full(0, s0.shape) },
    });
    return { r: g.gr, lw: g.glw, k: g.gk, v: g.gv, a: g.ga, b: g.gb, s0: g.gs0 };
  },
  flops: ({ D = 0 }, _, { y }) => 9 * D * y,
};
