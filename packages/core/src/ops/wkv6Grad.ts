import type { OpDefinition } from '../ir/definition.ts';

export type Wkv6GradSignature = {
  inputs: 'r' | 'lw' | 'k' | 'v' | 'u' | 's0' | 'starts' | 'gy' | 'gs';
  optional: never;
  outputs: 'gr' | 'glw' | 'gk' | 'gv' | 'gu' | 'gs0';
  attrs: Record<never, never>;
};

export const wkv6Grad: OpDefinition<Wkv6GradSignature> = {
  kind: 'primitive',
  summary: 'Gradient of wkv6 through its outputs and its final state.',
  formula: [
    'reverse sweep with G = gradient of S after token t, starting from gs:',
    'gk = G v + (u ⊙ r)(v·gy);  gv = Gᵀ k + gy (Σ r u k);  glw = Σ_value G ⊙ e^{lw} S[t−1]',
    'gr = S[t−1] gy + u ⊙ k (v·gy);  gu += r ⊙ k (v·gy);  G = diag(e^{lw}) G + r gyᵀ',
  ].join('\n'),
  source: 'derivative of the wkv6 formula',
  inputs: {
    r: { shape: 'N H D', doc: 'as in wkv6' },
    lw: { shape: '*', doc: 'as in wkv6' },
    k: { shape: 'N H D', doc: 'as in wkv6' },
    v: { shape: 'N H D', doc: 'as in wkv6' },
    u: { shape: 'H D', doc: 'as in wkv6' },
    s0: { shape: 'S H D D', doc: 'as in wkv6' },
    starts: { shape: 'S+1', dtype: 'i32', doc: 'as in wkv6' },
    gy: { shape: 'N H D', doc: 'gradient of y' },
    gs: { shape: 'S H D D', doc: 'gradient of the final state' },
  },
  outputs: {
    gr: { shape: 'N H D', doc: 'gradient of r' },
    glw: { shape: 'N H D', doc: 'gradient of lw, per token even where lw is constant' },
    gk: { shape: 'N H D', doc: 'gradient of k' },
    gv: { shape: 'N H D', doc: 'gradient of v' },
    gu: { shape: 'H D', doc: 'summed over all tokens' },
    gs0: { shape: 'S H D D', doc: 'gradient of s0' },
  },
  constraints: ['The state cannot be walked back (e^{lw} may be 0): it is kept or recomputed forward.'],
  flops: ({ D = 0 }, _, { gr }) => 20 * D * gr,
};
