import type { Numbers } from '@receptance/backend-reference';
import { SAMPLE_PARAMETERS } from '@receptance/core';
import { changed, other, replaced, type Sabotage, withAttrs, withInputs } from './sabotage.ts';

/** Matrix products, low-rank projections and drawing tokens. */
export const products: readonly Sabotage[] = [
  replaced('linear', 'a transposed weight taken as not transposed', ({ x, w }, { y }) => {
    multiply(x.data, w.data, y.data, x.shape[1] ?? 0, y.shape[1] ?? 0, (o, i, inner) => o * inner + i);
  }),
  replaced('linear', 'a weight taken as transposed', ({ x, w }, { y }) => {
    multiply(x.data, w.data, y.data, x.shape[1] ?? 0, y.shape[1] ?? 0, (o, i, _, outer) => i * outer + o);
  }),
  replaced('linear', 'the tail beyond a multiple of 4 is dropped', ({ x, w }, { y }, { transposed }) => {
    const [inner, outer] = [x.shape[1] ?? 0, y.shape[1] ?? 0];
    const place = transposed ? (o: number, i: number) => i * outer + o : (o: number, i: number) => o * inner + i;
    multiply(x.data, w.data, y.data, inner, outer, place, inner - (inner % 4));
  }),
  changed('matmul', 'transposeB is forgotten', (b, x, node) => {
    const [rows, columns] = [x('b').shape.at(-2), x('b').shape.at(-1)];
    if (node.attrs['transposeB'] !== true || rows === undefined || columns === undefined) return undefined;
    return other(
      node,
      b,
      x,
      { b: b.reshape(x('b'), [...x('b').shape.slice(0, -2), columns, rows]) },
      { transposeB: false },
    );
  }),
  changed('matmul', 'transposeA is forgotten', (b, x, node) => {
    const [rows, columns] = [x('a').shape.at(-2), x('a').shape.at(-1)];
    if (node.attrs['transposeA'] !== true || rows === undefined || columns === undefined) return undefined;
    return other(
      node,
      b,
      x,
      { a: b.reshape(x('a'), [...x('a').shape.slice(0, -2), columns, rows]) },
      { transposeA: false },
    );
  }),
  changed('lora', 'without its function', (b, x, node) =>
    node.attrs['fn'] === 'none' ? undefined : other(node, b, x, {}, { fn: 'none' }),
  ),
  changed(
    'lora',
    'tanh is sigmoid',
    withAttrs(({ fn }) => ({ fn: fn === 'tanh' ? 'sigmoid' : String(fn) })),
  ),
  changed('lora', 'without its bias', (b, x, node) =>
    node.inputs['bias'] === undefined ? undefined : other(node, b, x, { bias: b.full(0, x('bias').shape) }),
  ),
  ...Object.entries(SAMPLE_PARAMETERS).map(([name, off], column) =>
    changed('sample', `${name} is ignored`, (b, x, node) => {
      const columns = Object.keys(SAMPLE_PARAMETERS).map((_, i) => (i === column ? 1 : 0));
      const kept = b.binary('mul', x('parameters'), b.constant(columns.map((hit) => 1 - hit)));
      return other(node, b, x, { parameters: b.binary('add', kept, b.constant(columns.map((hit) => hit * off))) });
    }),
  ),
  changed(
    'sample',
    'u is ignored',
    withInputs((b, x) => ({ u: b.full(0, x('u').shape) })),
  ),
  changed('sample', 'counts are not counted', (b, x, node) => {
    const outputs = other(node, b, x, {});
    return { ...outputs, counts: x('counts') };
  }),
  changed(
    'sample',
    'counts are taken as 0 or 1',
    withInputs((b, x) => ({ counts: b.binary('min', x('counts'), 1) })),
  ),
  changed('sample', 'top-p of tempered probabilities', (b, x, node) => {
    const parameters = x('parameters');
    const temperature = b.binary('max', b.add('slice', { x: parameters }, { axis: 1, start: 0, end: 1 }).y, 1e-6);
    const others = b.add('slice', { x: parameters }, { axis: 1, start: 1, end: 8 }).y;
    const ones = b.full(1, temperature.shape);
    return other(node, b, x, {
      logits: b.binary('div', x('logits'), temperature),
      parameters: b.add('concat', { a: ones, b: others }, { axis: 1 }).y,
    });
  }),
];

function multiply(
  x: Numbers,
  w: Numbers,
  y: Numbers,
  inner: number,
  outer: number,
  place: (o: number, i: number, inner: number, outer: number) => number,
  used: number = inner,
): void {
  for (let at = 0; at < y.length; at++) {
    const [n, o] = [Math.floor(at / outer), at % outer];
    let sum = 0;
    for (let i = 0; i < used; i++) sum += (x[n * inner + i] ?? 0) * (w[place(o, i, inner, outer)] ?? 0);
    y[at] = sum;
  }
}
