import type { OpDefinition } from '../ir/definition.ts';

export type TokenShiftGradSignature = {
  inputs: 'starts' | 'gy' | 'glast';
  optional: never;
  outputs: 'gx' | 'gprev';
  attrs: Record<never, never>;
};

export const tokenShiftGrad: OpDefinition<TokenShiftGradSignature> = {
  kind: 'primitive',
  summary: 'Gradient of tokenShift: each token gives back to the one before it.',
  formula:
    'gx[t] = gy[t+1] inside a sequence, glast[s] at its last token\ngprev[s] = gy at its first token, glast[s] when it has none',
  inputs: {
    starts: { shape: 'S+1', dtype: 'i32', doc: 'as in tokenShift' },
    gy: { shape: 'N C', doc: 'gradient of y' },
    glast: { shape: 'S C', doc: 'gradient of last' },
  },
  outputs: { gx: { shape: 'N C', doc: 'gradient of x' }, gprev: { shape: 'S C', doc: 'gradient of prev' } },
  flops: () => 0,
};
