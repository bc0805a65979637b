import type { OpDefinition } from '../ir/definition.ts';
import { badOp } from '../ir/patterns.ts';
import { broadcastShapes } from '../ir/shape.ts';

export const COMPARE_FNS = ['eq', 'lt', 'le', 'gt', 'ge'] as const;
export type CompareFn = (typeof COMPARE_FNS)[number];

export type CompareSignature = { inputs: 'a' | 'b'; optional: never; outputs: 'y'; attrs: { readonly fn: CompareFn } };

export const compare: OpDefinition<CompareSignature> = {
  kind: 'primitive',
  summary: 'Compares every pair of elements; operands broadcast.',
  formula: 'y = 1 where a fn b, else 0',
  inputs: {
    a: { shape: '*', dtype: 'any', doc: 'any shape' },
    b: { shape: '*', dtype: 'any', doc: 'of the dtype of a, of a shape that broadcasts' },
  },
  outputs: { y: { shape: '*', dtype: 'i32', doc: 'i32 of the broadcast shape' } },
  attrs: { fn: { type: COMPARE_FNS, doc: 'the comparison' } },
  constraints: ['a and b have the same dtype.'],
  infer({ a, b }) {
    const shape = broadcastShapes(a.shape, b.shape);
    if (shape === undefined) throw badOp('operands do not broadcast');
    if (a.dtype !== b.dtype) throw badOp('operands differ in dtype');
    return { y: { dtype: 'i32', shape } };
  },
};
