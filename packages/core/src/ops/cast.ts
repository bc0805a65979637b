import type { OpDefinition } from '../ir/definition.ts';

export type CastSignature = {
  inputs: 'x';
  optional: never;
  outputs: 'y';
  attrs: { readonly dtype: 'f32' | 'i32' };
};

export const cast: OpDefinition<CastSignature> = {
  kind: 'primitive',
  summary: 'Between f32 and i32.',
  formula: 'y = x as dtype; towards i32 the fraction is dropped',
  inputs: { x: { shape: '*', dtype: 'any', doc: 'any shape' } },
  outputs: { y: { shape: '*', dtype: 'any', doc: 'of the shape of x' } },
  attrs: { dtype: { type: ['f32', 'i32'], doc: 'f32 or i32' } },
  constraints: ['Towards i32, x lies within the range of i32.'],
  infer: ({ x }, { dtype }) => ({ y: { dtype, shape: x.shape } }),
};
