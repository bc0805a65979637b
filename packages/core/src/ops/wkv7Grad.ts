import type { OpDefinition } from '../ir/definition.ts';

export type Wkv7GradSignature = {
  inputs: 'r' | 'lw' | 'k' | 'v' | 'a' | 'b' | 's0' | 'starts' | 'gy' | 'gs';
  optional: never;
  outputs: 'gr' | 'glw' | 'gk' | 'gv' | 'ga' | 'gb' | 'gs0';
  attrs: Record<never, never>;
};

export const wkv7Grad: OpDefinition<Wkv7GradSignature> = {
  kind: 'primitive',
  summary: 'Gradient of wkv7 through its outputs and its final state.',
  formula: [
    'reverse sweep with G = gradient of S after token t, starting from gs; S⁻ the state before token t:',
    'gr = Sᵀ gy;  G += gy rᵀ',
    'gk = Gᵀ v;  gv = G k;  glw = e^{lw} ⊙ Σ_value G ⊙ S⁻;  gb = Gᵀ (S⁻ a);  ga = S⁻ᵀ (G b)',
    'G = G diag(e^{lw}) + (G b) aᵀ',
  ].join('\n'),
  source: 'derivative of the wkv7 formula',
  inputs: {
    r: { shape: 'N H D', doc: 'as in wkv7' },
    lw: { shape: 'N H D', doc: 'as in wkv7' },
    k: { shape: 'N H D', doc: 'as in wkv7' },
    v: { shape: 'N H D', doc: 'as in wkv7' },
    a: { shape: 'N H D', doc: 'as in wkv7' },
    b: { shape: 'N H D', doc: 'as in wkv7' },
    s0: { shape: 'S H D D', doc: 'as in wkv7' },
    starts: { shape: 'S+1', dtype: 'i32', doc: 'as in wkv7' },
    gy: { shape: 'N H D', doc: 'gradient of y' },
    gs: { shape: 'S H D D', doc: 'gradient of the final state' },
  },
  outputs: {
    gr: { shape: 'N H D', doc: 'gradient of r' },
    glw: { shape: 'N H D', doc: 'gradient of lw' },
    gk: { shape: 'N H D', doc: 'gradient of k' },
    gv: { shape: 'N H D', doc: 'gradient of v' },
    ga: { shape: 'N H D', doc: 'gradient of a' },
    gb: { shape: 'N H D', doc: 'gradient of b' },
    gs0: { shape: 'S H D D', doc: 'gradient of s0' },
  },
  flops: ({ D = 0 }, _, { gr }) => 24 * D * gr,
};
