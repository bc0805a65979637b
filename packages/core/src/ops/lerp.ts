import type { OpDefinition } from '../ir/definition.ts';

export type LerpSignature = {
  inputs: 'x' | 'shifted' | 'mix';
  optional: never;
  outputs: 'y';
  attrs: Record<never, never>;
};

export const lerp: OpDefinition<LerpSignature> = {
  kind: 'composite',
  summary: 'Mixes each token with the one before it, per channel.',
  formula: 'y = x + (shifted − x) · mix',
  inputs: {
    x: { shape: 'N C', doc: 'tokens' },
    shifted: { shape: 'N C', doc: 'tokenShift of them' },
    mix: { shape: 'C', doc: 'share of the shifted token, x_r, x_k, …' },
  },
  outputs: { y: { shape: 'N C', doc: 'one stream' } },
  decompose(b, { x, shifted, mix }) {
    const difference = b.binary('sub', shifted, x);
    return { y: b.binary('add', x, b.binary('mul', difference, mix)) };
  },
  flops: (_, __, { y }) => 3 * y,
};
