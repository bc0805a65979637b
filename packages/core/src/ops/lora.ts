import type { OpDefinition } from '../ir/definition.ts';

export type LoraSignature = {
  inputs: 'x' | 'w1' | 'w2';
  optional: 'bias';
  outputs: 'y';
  attrs: { readonly fn: 'none' | 'tanh' | 'sigmoid' };
};

export const lora: OpDefinition<LoraSignature> = {
  kind: 'composite',
  summary: 'A low-rank projection: data-dependent decay, learning rate, gate and value residual.',
  formula: 'y = bias + fn(x @ w1) @ w2',
  source: 'Eagle and Finch paper (arXiv:2404.05892)',
  inputs: {
    x: { shape: 'N C', doc: 'one stream' },
    w1: { shape: 'C Q', dtype: 'weight', doc: 'down, stored [in, out]' },
    w2: { shape: 'Q O', dtype: 'weight', doc: 'up, stored [in, out]' },
  },
  optional: { bias: { shape: 'O', doc: 'w0, a0, v0' } },
  outputs: { y: { shape: 'N O', doc: 'the projection' } },
  attrs: { fn: { type: ['none', 'tanh', 'sigmoid'], doc: 'what is done in the middle' } },
  decompose(b, { x, w1, w2, bias }, { fn }) {
    const low = b.linear(x, w1, true);
    const y = b.linear(fn === 'none' ? low : b.unary(fn, low), w2, true);
    return { y: bias === undefined ? y : b.binary('add', y, bias) };
  },
  flops: ({ N = 0, C = 0, Q = 0, O = 0 }) => 2 * N * Q * (C + O),
};
