import { sumTo } from '../autodiff/reduce-to.ts';
import type { OpDefinition } from '../ir/definition.ts';
import { badOp } from '../ir/patterns.ts';
import { broadcastShapes, sameShape } from '../ir/shape.ts';
import type { Dim } from '../ir/types.ts';

export type BroadcastSignature = {
  inputs: 'x';
  optional: never;
  outputs: 'y';
  attrs: { readonly shape: readonly Dim[] };
};

export const broadcast: OpDefinition<BroadcastSignature> = {
  kind: 'primitive',
  summary: 'Repeats a tensor along new axes and axes of length 1, axes aligned at the right.',
  formula: 'y[…] = x[…]',
  inputs: { x: { shape: '*', doc: 'any shape' } },
  outputs: { y: { shape: '*', doc: 'of the wider shape' } },
  attrs: { shape: { type: 'shape', doc: 'a shape that x broadcasts to' } },
  infer({ x }, { shape }) {
    const joint = broadcastShapes(x.shape, shape);
    if (joint === undefined || !sameShape(joint, shape)) throw badOp(`does not broadcast to [${shape.join(',')}]`);
    return { y: { dtype: 'f32', shape } };
  },
  vjp: (b, { x }, _, __, { y: g }) => (g === undefined ? {} : { x: sumTo(b, g, x.shape) }),
  flops: () => 0,
};
