import type { UnaryFn } from '@receptance/core';
import { changed, other, replaced, type Sabotage, withAttrs, withInputs } from './sabotage.ts';

const WRONG_FN: Readonly<Record<UnaryFn, UnaryFn>> = {
  neg: 'abs',
  abs: 'relu',
  exp: 'relu',
  log: 'sqrt',
  sqrt: 'log',
  reciprocal: 'neg',
  sigmoid: 'tanh',
  tanh: 'sigmoid',
  relu: 'abs',
};

export const elementwise: readonly Sabotage[] = [
  ...(Object.keys(WRONG_FN) as UnaryFn[]).map((fn) =>
    changed('unary', `${fn} is ${WRONG_FN[fn]}`, (b, x, node) =>
      node.attrs['fn'] === fn ? other(node, b, x, {}, { fn: WRONG_FN[fn] }) : undefined,
    ),
  ),
  changed('unary', 'tanh gives up beyond 20', (b, x, node) => {
    if (node.attrs['fn'] !== 'tanh') return undefined;
    const far = b.compare('gt', b.unary('abs', x('x')), 20);
    return b.add('select', { condition: far, a: b.full(0, []), b: b.unary('tanh', x('x')) });
  }),
  changed(
    'binary',
    'operands swapped',
    withInputs((_, x) => ({ a: x('b'), b: x('a') })),
  ),
  changed('binary', 'min is max', (b, x, node) =>
    node.attrs['fn'] === 'min' ? other(node, b, x, {}, { fn: 'max' }) : undefined,
  ),
  replaced('binary', 'the second operand is never repeated', ({ a, b }, { y }, { fn }) => {
    for (let i = 0; i < y.data.length; i++) {
      const [p, q] = [a.data[i % a.data.length] ?? 0, b.data[Math.min(i, b.data.length - 1)] ?? 0];
      y.data[i] = { add: p + q, sub: p - q, mul: p * q, div: p / q, min: Math.min(p, q), max: Math.max(p, q) }[fn];
    }
  }),
  changed('compare', 'le is lt', (b, x, node) =>
    node.attrs['fn'] === 'le' ? other(node, b, x, {}, { fn: 'lt' }) : undefined,
  ),
  changed('compare', 'ge is gt', (b, x, node) =>
    node.attrs['fn'] === 'ge' ? other(node, b, x, {}, { fn: 'gt' }) : undefined,
  ),
  changed(
    'compare',
    'operands swapped',
    withInputs((_, x) => ({ a: x('b'), b: x('a') })),
  ),
  changed('compare', 'whole numbers compared as f32', (b, x, node) => {
    if (x('a').dtype !== 'i32') return undefined;
    // Of numbers below 2^25, those that f32 tells apart are the even ones.
    const rounded = (name: string) => {
      const half = b.binary('mul', b.add('cast', { x: x(name) }, { dtype: 'f32' }).y, 0.5);
      return b.binary(
        'mul',
        b.add('cast', { x: b.add('cast', { x: half }, { dtype: 'i32' }).y }, { dtype: 'f32' }).y,
        2,
      );
    };
    return b.insert('compare', { a: rounded('a'), b: rounded('b') }, node.attrs);
  }),
  changed(
    'select',
    'the other way round',
    withInputs((_, x) => ({ a: x('b'), b: x('a') })),
  ),
  replaced('select', 'only 1 is true', ({ condition, a, b }, { y }) => {
    for (let i = 0; i < y.data.length; i++) {
      const from = condition.data[i % condition.data.length] === 1 ? a : b;
      y.data[i] = from.data[i % from.data.length] ?? 0;
    }
  }),
  replaced('cast', 'rounds to nearest', ({ x }, { y }) => {
    for (let i = 0; i < y.data.length; i++) y.data[i] = Math.round(x.data[i] ?? 0);
  }),
  replaced('cast', 'rounds down', ({ x }, { y }) => {
    for (let i = 0; i < y.data.length; i++) y.data[i] = Math.floor(x.data[i] ?? 0);
  }),
  changed(
    'full',
    'a little off',
    withAttrs(({ value }) => ({ value: Number(value) * 1.001 })),
  ),
  changed(
    'constant',
    'read backwards',
    withAttrs(({ data }) => ({ data: Array.isArray(data) ? data.toReversed() : [] })),
  ),
  changed(
    'lerp',
    'the other end',
    withInputs((_, x) => ({ x: x('shifted'), shifted: x('x') })),
  ),
  changed('reluSquared', 'not squared', (b, x) => ({ y: b.unary('relu', x('x')) })),
  changed('reluSquared', 'squared before it is cut', (b, x) => ({
    y: b.unary('relu', b.binary('mul', x('x'), x('x'))),
  })),
  changed('silu', 'the sigmoid alone', (b, x) => ({ y: b.unary('sigmoid', x('x')) })),
];
