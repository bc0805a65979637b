import type { OpDefinition } from '../ir/definition.ts';

export type CrossEntropySignature = {
  inputs: 'logits' | 'targets';
  optional: never;
  outputs: 'y';
  attrs: Record<never, never>;
};

export const crossEntropy: OpDefinition<CrossEntropySignature> = {
  kind: 'primitive',
  summary: 'Loss of each row in nats: minus the log probability of its target.',
  formula: 'y[n] = log Σ exp(logits[n]) − logits[n, targets[n]];  0 where targets[n] = −1',
  inputs: {
    logits: { shape: 'N V', doc: 'one row a token' },
    targets: { shape: 'N', dtype: 'i32', doc: 'the token that follows, −1 to leave the row out' },
  },
  outputs: { y: { shape: 'N', doc: 'losses' } },
  constraints: ['−1 ≤ targets < V.', 'Rows are shifted by their maximum.'],
  vjp(b, { logits, targets }, _, __, { y: g }) {
    return g === undefined ? {} : { logits: b.add('crossEntropyGrad', { logits, targets, gy: g }).glogits };
  },
  flops: ({ V = 0 }, _, { y }) => 4 * V * y,
};
