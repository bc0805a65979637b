import type { OpDefinition } from '../ir/definition.ts';
import { badOp } from '../ir/patterns.ts';
import type { Dim } from '../ir/types.ts';
import { BLOCKS, type DType } from '../weights/weights.ts';

/** What is computed with; a weight may be stored otherwise. */
export const COMPUTED_DTYPES = ['f32', 'i32'] as const;

export type LeafSignature = {
  inputs: never;
  optional: never;
  outputs: 'y';
  attrs: { readonly name: string; readonly dtype: DType; readonly shape: readonly Dim[] };
};

/** What the three leaves have in common: they are given from outside, by name. */
export function leafDefinition(summary: string, dtypes: readonly DType[]): OpDefinition<LeafSignature> {
  return {
    kind: 'leaf',
    summary,
    formula: 'y = what is bound to the name',
    inputs: {},
    outputs: { y: { shape: '*', dtype: 'any', doc: 'the tensor' } },
    attrs: {
      name: { type: 'string', doc: 'unique among the leaves of a graph' },
      dtype: { type: dtypes, doc: 'type of its elements' },
      shape: { type: 'shape', doc: 'its shape' },
    },
    infer(_, { dtype, shape }) {
      const block = BLOCKS[dtype].elements;
      const row = shape.at(-1) ?? 1;
      if (block > 1 && (typeof row !== 'number' || row % block !== 0)) {
        throw badOp(`rows of ${row} are not whole blocks of ${block}, as ${dtype} needs`);
      }
      return { y: { dtype, shape } };
    },
    flops: () => 0,
  };
}

export const input: OpDefinition<LeafSignature> = leafDefinition('Data that each run is given.', COMPUTED_DTYPES);
