import type { OpDefinition } from '../ir/definition.ts';
import type { Dim } from '../ir/types.ts';
import { BLOCKS, type DType } from '../weights.ts';

const DTYPES = Object.keys(BLOCKS);

export type LeafSignature = {
  inputs: never;
  optional: never;
  outputs: 'y';
  attrs: { readonly name: string; readonly dtype: DType; readonly shape: readonly Dim[] };
};

/** What the three leaves have in common: they are given from outside, by name. */
export function leafDefinition(summary: string): OpDefinition<LeafSignature> {
  return {
    kind: 'leaf',
    summary,
    formula: 'y = what is bound to the name',
    inputs: {},
    outputs: { y: { shape: '*', dtype: 'any', doc: 'the tensor' } },
    attrs: {
      name: { type: 'string', doc: 'unique among the leaves of a graph' },
      dtype: { type: DTYPES, doc: 'type of its elements' },
      shape: { type: 'shape', doc: 'its shape' },
    },
    infer: (_, { dtype, shape }) => ({ y: { dtype, shape } }),
    flops: () => 0,
  };
}

export const input: OpDefinition<LeafSignature> = leafDefinition('Data that each run is given.');
