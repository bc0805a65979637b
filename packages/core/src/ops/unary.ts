import type { GraphBuilder } from '../ir/builder.ts';
import type { OpDefinition } from '../ir/definition.ts';
import type { Value } from '../ir/types.ts';

export const UNARY_FNS = ['neg', 'abs', 'exp', 'log', 'sqrt', 'reciprocal', 'sigmoid', 'tanh', 'relu'] as const;
export type UnaryFn = (typeof UNARY_FNS)[number];

export type UnarySignature = { inputs: 'x'; optional: never; outputs: 'y'; attrs: { readonly fn: UnaryFn } };

export const unary: OpDefinition<UnarySignature> = {
  kind: 'primitive',
  summary: 'One function on every element.',
  formula: 'y = fn(x)',
  inputs: { x: { shape: '*', doc: 'any shape' } },
  outputs: { y: { shape: '*', doc: 'of the shape of x' } },
  attrs: { fn: { type: UNARY_FNS, doc: 'the function' } },
  constraints: [
    'sigmoid, tanh and exp saturate: no finite x gives NaN, and exp underflows to 0.',
    'log and sqrt of a negative number and reciprocal of 0 are the caller’s to avoid.',
  ],
  infer: ({ x }) => ({ y: { dtype: 'f32', shape: x.shape } }),
  vjp: (b, { x }, { fn }, { y }, { y: g }) => (g === undefined ? {} : { x: derivative(b, fn, x, y, g) }),
};

function derivative(b: GraphBuilder, fn: UnaryFn, x: Value, y: Value, g: Value): Value {
  switch (fn) {
    case 'neg':
      return b.unary('neg', g);
    case 'abs':
      return b.add('select', { condition: b.compare('gt', x, 0), a: g, b: b.unary('neg', g) }).y;
    case 'exp':
      return b.binary('mul', g, y);
    case 'log':
      return b.binary('div', g, x);
    case 'sqrt':
      return b.binary('div', g, b.binary('mul', 2, y));
    case 'reciprocal':
      return b.unary('neg', b.binary('mul', g, b.binary('mul', y, y)));
    case 'sigmoid':
      return b.binary('mul', g, b.binary('mul', y, b.binary('sub', 1, y)));
    case 'tanh':
      return b.binary('mul', g, b.binary('sub', 1, b.binary('mul', y, y)));
    case 'relu':
      return b.add('select', { condition: b.compare('gt', x, 0), a: g, b: b.full(0, []) }).y;
  }
}
