import type { OpDefinition } from '../ir/definition.ts';
import type { Dim } from '../ir/types.ts';

export type FullSignature = {
  inputs: never;
  optional: never;
  outputs: 'y';
  attrs: { readonly value: number; readonly shape: readonly Dim[] };
};

export const full: OpDefinition<FullSignature> = {
  kind: 'primitive',
  summary: 'One number everywhere.',
  formula: 'y[…] = value',
  inputs: {},
  outputs: { y: { shape: '*', doc: 'f32 of the shape' } },
  attrs: { value: { type: 'number', doc: 'a finite number' }, shape: { type: 'shape', doc: 'any shape, symbols too' } },
  infer: (_, { shape }) => ({ y: { dtype: 'f32', shape } }),
  flops: () => 0,
};
