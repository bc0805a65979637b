import { sumTo } from '../autodiff/reduce-to.ts';
import type { OpDefinition } from '../ir/definition.ts';
import { badOp } from '../ir/patterns.ts';
import { broadcastShapes } from '../ir/shape.ts';

export type SelectSignature = {
  inputs: 'condition' | 'a' | 'b';
  optional: never;
  outputs: 'y';
  attrs: Record<never, never>;
};

export const select: OpDefinition<SelectSignature> = {
  kind: 'primitive',
  summary: 'Picks from two tensors, element by element; operands broadcast.',
  formula: 'y = a where condition ≠ 0, else b',
  inputs: {
    condition: { shape: '*', dtype: 'i32', doc: 'as compare makes it' },
    a: { shape: '*', doc: 'taken where the condition holds' },
    b: { shape: '*', doc: 'taken elsewhere' },
  },
  outputs: { y: { shape: '*', doc: 'the broadcast shape of all three' } },
  infer({ condition, a, b }) {
    const pair = broadcastShapes(a.shape, b.shape);
    const shape = pair && broadcastShapes(condition.shape, pair);
    if (shape === undefined) throw badOp('operands do not broadcast');
    return { y: { dtype: 'f32', shape } };
  },
  vjp(build, { condition, a, b }, _, __, { y: g }) {
    if (g === undefined) return {};
    const zero = build.full(0, []);
    return {
      a: sumTo(build, build.add('select', { condition, a: g, b: zero }).y, a.shape),
      b: sumTo(build, build.add('select', { condition, a: zero, b: g }).y, b.shape),
    };
  },
};
