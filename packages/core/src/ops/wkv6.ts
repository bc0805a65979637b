import type { OpDefinition } from '../ir/definition.ts';
import { badOp } from '../ir/patterns.ts';
import { sameShape } from '../ir/shape.ts';

export type Wkv6Signature = {
  inputs: 'r' | 'lw' | 'k' | 'v' | 'u' | 's0' | 'starts';
  optional: 'slots';
  outputs: 'y' | 's';
  attrs: Record<never, never>;
};

export const wkv6: OpDefinition<Wkv6Signature> = {
  kind: 'primitive',
  summary: 'The matrix-valued memory of RWKV-5 and 6: one decay per key channel, constant (5) or per token (6).',
  formula: ['y[t] = r[t] (S + u ⊙ k[t]ᵀ v[t])', 'S = diag(e^{lw[t]}) S + k[t]ᵀ v[t]'].join('\n'),
  source: 'Eagle and Finch paper (arXiv:2404.05892)',
  inputs: {
    r: { shape: 'N H D', doc: 'receptance' },
    lw: { shape: '*', doc: 'log decay ≤ 0 of the rows of S: [N,H,D], or [H,D] for all tokens (RWKV-5)' },
    k: { shape: 'N H D', doc: 'keys' },
    v: { shape: 'N H D', doc: 'values' },
    u: { shape: 'H D', doc: 'bonus of the present token, time_faaaa' },
    s0: { shape: 'S H D D', doc: 'state [key, value] of each sequence' },
    starts: { shape: 'S+1', dtype: 'i32', doc: 'sequence s is rows starts[s] to starts[s+1]' },
  },
  optional: { slots: { shape: 'S', dtype: 'i32', doc: 'pool rows of the sequences (pooled form)' } },
  outputs: { y: { shape: 'N H D', doc: 'read before the update' }, s: { shape: 'S H D D', doc: 'the new s0' } },
  state: { s0: 's' },
  constraints: [
    'lw has the shape of r, or that of u.',
    'e^{lw} may underflow to 0.',
    'An empty sequence keeps its state.',
  ],
  infer({ r, u, lw }) {
    if (!sameShape(lw.shape, r.shape) && !sameShape(lw.shape, u.shape))
      throw badOp('lw must have the shape of r or of u');
    return {};
  },
  vjp(b, { r, lw, k, v, u, s0, starts }, _, __, { y: gy, s: gs }) {
    if (gy === undefined && gs === undefined) return {};
    const g = b.add('wkv6Grad', {
      ...{ r, lw, k, v, u, s0, starts },
      ...{ gy: gy ?? b.full(0, r.shape), gs: gs ?? b.full(0, s0.shape) },
    });
    const perToken = sameShape(lw.shape, r.shape);
    return { r: g.gr, lw: perToken ? g.glw : b.reduce('sum', g.glw, [0]), k: g.gk, v: g.gv, u: g.gu, s0: g.gs0 };
  },
  flops: ({ D = 0 }, _, { y }) => 7 * D * y,
};
