import type { OpDefinition } from '../ir/definition.ts';
import { badOp } from '../ir/patterns.ts';

export type SliceSignature = {
  inputs: 'x';
  optional: never;
  outputs: 'y';
  attrs: { readonly axis: number; readonly start: number; readonly end: number };
};

export const slice: OpDefinition<SliceSignature> = {
  kind: 'primitive',
  summary: 'A range of one axis.',
  formula: 'y = x[…, start:end, …]',
  inputs: { x: { shape: '*', doc: 'any shape' } },
  outputs: { y: { shape: '*', doc: 'x with end − start along the axis' } },
  attrs: {
    axis: { type: 'index', doc: 'an axis whose length is a number' },
    start: { type: 'index', doc: 'from 0' },
    end: { type: 'index', doc: 'exclusive' },
  },
  infer({ x }, { axis, start, end }) {
    const length = x.shape[axis];
    if (typeof length !== 'number') throw badOp(`axis ${axis} has no fixed length`);
    if (!(0 <= start && start <= end && end <= length)) throw badOp(`range ${start}:${end} lies outside ${length}`);
    return { y: { dtype: 'f32', shape: x.shape.with(axis, end - start) } };
  },
  vjp(b, { x }, { axis, start, end }, _, { y: g }) {
    if (g === undefined) return {};
    let padded = g;
    const before = b.full(0, x.shape.with(axis, start));
    const after = b.full(0, x.shape.with(axis, Number(x.shape[axis]) - end));
    if (start > 0) padded = b.add('concat', { a: before, b: padded }, { axis }).y;
    if (end < Number(x.shape[axis])) padded = b.add('concat', { a: padded, b: after }, { axis }).y;
    return { x: padded };
  },
  flops: () => 0,
};
