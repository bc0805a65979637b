import { sumTo } from '../autodiff/reduce-to.ts';
import type { OpDefinition } from '../ir/definition.ts';
import { badOp } from '../ir/patterns.ts';
import { broadcastShapes } from '../ir/shape.ts';

export const BINARY_FNS = ['add', 'sub', 'mul', 'div', 'min', 'max'] as const;
export type BinaryFn = (typeof BINARY_FNS)[number];

export type BinarySignature = { inputs: 'a' | 'b'; optional: never; outputs: 'y'; attrs: { readonly fn: BinaryFn } };

export const binary: OpDefinition<BinarySignature> = {
  kind: 'primitive',
  summary: 'One function on every pair of elements; operands broadcast, axes aligned at the right.',
  formula: 'y = fn(a, b)',
  inputs: { a: { shape: '*', doc: 'any shape' }, b: { shape: '*', doc: 'a shape that broadcasts with that of a' } },
  outputs: { y: { shape: '*', doc: 'the broadcast shape' } },
  attrs: { fn: { type: BINARY_FNS, doc: 'the function' } },
  constraints: [
    'Aligned at the right, two dimensions are equal or one of them is 1.',
    'At a tie, min and max pass the gradient to a.',
  ],
  infer({ a, b }) {
    const shape = broadcastShapes(a.shape, b.shape);
    if (shape === undefined) throw badOp('operands do not broadcast');
    return { y: { dtype: 'f32', shape } };
  },
  vjp(build, { a, b }, { fn }, _, { y: g }) {
    if (g === undefined) return {};
    const zero = build.full(0, []);
    switch (fn) {
      case 'add':
        return { a: sumTo(build, g, a.shape), b: sumTo(build, g, b.shape) };
      case 'sub':
        return { a: sumTo(build, g, a.shape), b: sumTo(build, build.unary('neg', g), b.shape) };
      case 'mul':
        return {
          a: sumTo(build, build.binary('mul', g, b), a.shape),
          b: sumTo(build, build.binary('mul', g, a), b.shape),
        };
      case 'div': {
        const ga = build.binary('div', g, b);
        const gb = build.unary('neg', build.binary('mul', ga, build.binary('div', a, b)));
        return { a: sumTo(build, ga, a.shape), b: sumTo(build, gb, b.shape) };
      }
      case 'min':
      case 'max': {
        const condition = build.compare(fn === 'min' ? 'le' : 'ge', a, b);
        return {
          a: sumTo(build, build.add('select', { condition, a: g, b: zero }).y, a.shape),
          b: sumTo(build, build.add('select', { condition, a: zero, b: g }).y, b.shape),
        };
      }
    }
  },
};
