import type { OpDefinition } from '../ir/definition.ts';

export type CrossEntropyGradSignature = {
  inputs: 'logits' | 'targets' | 'gy';
  optional: never;
  outputs: 'glogits';
  attrs: Record<never, never>;
};

export const crossEntropyGrad: OpDefinition<CrossEntropyGradSignature> = {
  kind: 'primitive',
  summary: 'Gradient of crossEntropy.',
  formula: 'glogits[n] = gy[n] · (softmax(logits[n]) − onehot(targets[n]));  0 where targets[n] = −1',
  inputs: {
    logits: { shape: 'N V', doc: 'as in crossEntropy' },
    targets: { shape: 'N', dtype: 'i32', doc: 'as in crossEntropy' },
    gy: { shape: 'N', doc: 'gradient of the losses' },
  },
  outputs: { glogits: { shape: 'N V', doc: 'gradient of logits' } },
  flops: (_, __, { glogits }) => 5 * glogits,
};
