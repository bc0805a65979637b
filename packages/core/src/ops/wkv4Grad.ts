import type { OpDefinition } from '../ir/definition.ts';

export type Wkv4GradSignature = {
  inputs: 'w' | 'u' | 'k' | 'v' | 'aa0' | 'bb0' | 'pp0' | 'starts' | 'gy' | 'gaa' | 'gbb' | 'gpp';
  optional: never;
  outputs: 'gw' | 'gu' | 'gk' | 'gv' | 'gaa0' | 'gbb0' | 'gpp0';
  attrs: Record<never, never>;
};

export const wkv4Grad: OpDefinition<Wkv4GradSignature> = {
  kind: 'primitive',
  summary: 'Gradient of wkv4 through its outputs and its final state.',
  formula: 'reverse sweep over the tokens of each sequence; the state at each token is recomputed forward',
  source: 'derivative of the wkv4 formula; the maxima move with their larger argument',
  inputs: {
    w: { shape: 'C', doc: 'as in wkv4' },
    u: { shape: 'C', doc: 'as in wkv4' },
    k: { shape: 'N C', doc: 'as in wkv4' },
    v: { shape: 'N C', doc: 'as in wkv4' },
    aa0: { shape: 'S C', doc: 'as in wkv4' },
    bb0: { shape: 'S C', doc: 'as in wkv4' },
    pp0: { shape: 'S C', doc: 'as in wkv4' },
    starts: { shape: 'S+1', dtype: 'i32', doc: 'as in wkv4' },
    gy: { shape: 'N C', doc: 'gradient of y' },
    gaa: { shape: 'S C', doc: 'gradient of the final aa' },
    gbb: { shape: 'S C', doc: 'gradient of the final bb' },
    gpp: { shape: 'S C', doc: 'gradient of the final pp' },
  },
  outputs: {
    gw: { shape: 'C', doc: 'summed over all tokens' },
    gu: { shape: 'C', doc: 'summed over all tokens' },
    gk: { shape: 'N C', doc: 'gradient of k' },
    gv: { shape: 'N C', doc: 'gradient of v' },
    gaa0: { shape: 'S C', doc: 'gradient of aa0' },
    gbb0: { shape: 'S C', doc: 'gradient of bb0' },
    gpp0: { shape: 'S C', doc: 'gradient of pp0' },
  },
  flops: (_, __, { gk }) => 72 * gk,
};
