import type { OpDefinition } from '../ir/definition.ts';
import { badOp } from '../ir/patterns.ts';
import { sameShape } from '../ir/shape.ts';

export type ConcatSignature = {
  inputs: 'a' | 'b';
  optional: never;
  outputs: 'y';
  attrs: { readonly axis: number };
};

export const concat: OpDefinition<ConcatSignature> = {
  kind: 'primitive',
  summary: 'Puts two tensors one after the other along an axis.',
  formula: 'y = [a | b]',
  inputs: { a: { shape: '*', doc: 'any shape' }, b: { shape: '*', doc: 'like a but along the axis' } },
  outputs: { y: { shape: '*', doc: 'the lengths along the axis added' } },
  attrs: { axis: { type: 'index', doc: 'an axis whose length is a number' } },
  infer({ a, b }, { axis }) {
    const [m, n] = [a.shape[axis], b.shape[axis]];
    if (typeof m !== 'number' || typeof n !== 'number') throw badOp(`axis ${axis} has no fixed length`);
    if (!sameShape(a.shape.with(axis, 0), b.shape.with(axis, 0))) throw badOp('shapes differ beside the axis');
    return { y: { dtype: 'f32', shape: a.shape.with(axis, m + n) } };
  },
  vjp(build, { a, b }, { axis }, _, { y: g }) {
    if (g === undefined) return {};
    const [m, n] = [Number(a.shape[axis]), Number(b.shape[axis])];
    return {
      a: build.add('slice', { x: g }, { axis, start: 0, end: m }).y,
      b: build.add('slice', { x: g }, { axis, start: m, end: m + n }).y,
    };
  },
  flops: () => 0,
};
