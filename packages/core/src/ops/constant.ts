import type { OpDefinition } from '../ir/definition.ts';
import { badOp } from '../ir/patterns.ts';
import { elementCount } from '../ir/shape.ts';

export type ConstantSignature = {
  inputs: never;
  optional: never;
  outputs: 'y';
  attrs: { readonly data: readonly number[]; readonly dtype: 'f32' | 'i32'; readonly shape: readonly number[] };
};

export const constant: OpDefinition<ConstantSignature> = {
  kind: 'leaf',
  summary: 'A small table of numbers written in the graph.',
  formula: 'y = data',
  inputs: {},
  outputs: { y: { shape: '*', dtype: 'any', doc: 'the table' } },
  attrs: {
    data: { type: 'numbers', doc: 'the numbers, row-major' },
    dtype: { type: ['f32', 'i32'], doc: 'f32 or i32' },
    shape: { type: 'shape', doc: 'numbers only' },
  },
  constraints: ['data has as many numbers as shape says, all finite.'],
  infer(_, { data, dtype, shape }) {
    if (elementCount(shape) !== data.length) throw badOp(`has ${data.length} numbers for shape [${shape.join(',')}]`);
    if (dtype === 'i32' && !data.every((n) => (n | 0) === n)) throw badOp('has a number that is no i32');
    return { y: { dtype, shape } };
  },
  flops: () => 0,
};
