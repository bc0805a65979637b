import type { OpDefinition } from '../ir/definition.ts';
import { badOp } from '../ir/patterns.ts';

export type SoftmaxSignature = { inputs: 'x'; optional: never; outputs: 'y'; attrs: Record<never, never> };

export const softmax: OpDefinition<SoftmaxSignature> = {
  kind: 'primitive',
  summary: 'Probabilities along the last axis.',
  formula: 'm = max x\ny = exp(x − m) / Σ exp(x − m)',
  inputs: { x: { shape: '*', doc: 'any shape with a last axis' } },
  outputs: { y: { shape: '*', doc: 'of the shape of x' } },
  constraints: ['Rows are shifted by their maximum: any finite x is safe.'],
  infer({ x }) {
    if (x.shape.length === 0) throw badOp('x has no last axis');
    return { y: { dtype: 'f32', shape: x.shape } };
  },
  vjp(b, _, __, { y }, { y: g }) {
    if (g === undefined) return {};
    const gy = b.binary('mul', g, y);
    const total = b.reduce('sum', gy, [y.shape.length - 1], true);
    return { x: b.binary('sub', gy, b.binary('mul', y, total)) };
  },
  flops: (_, __, { y }) => 4 * y,
};
