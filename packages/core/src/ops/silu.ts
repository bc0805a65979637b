import type { OpDefinition } from '../ir/definition.ts';

export type SiluSignature = { inputs: 'x'; optional: never; outputs: 'y'; attrs: Record<never, never> };

export const silu: OpDefinition<SiluSignature> = {
  kind: 'composite',
  summary: 'The gate’s non-linearity in RWKV-5 and 6.',
  formula: 'y = x · sigmoid(x)',
  source: 'Elfwing et al. 2017 (arXiv:1702.03118)',
  inputs: { x: { shape: '*', doc: 'any shape' } },
  outputs: { y: { shape: '*', doc: 'of the shape of x' } },
  infer: ({ x }) => ({ y: { dtype: 'f32', shape: x.shape } }),
  decompose: (b, { x }) => ({ y: b.binary('mul', x, b.unary('sigmoid', x)) }),
  flops: (_, __, { y }) => 5 * y,
};
