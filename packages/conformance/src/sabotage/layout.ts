import type { GraphBuilder, Value } from '@receptance/core';
import { changed, other, replaced, type Sabotage, withAttrs, withInputs } from './sabotage.ts';

/** Ops that reduce and move numbers. */
export const layout: readonly Sabotage[] = [
  changed('reduce', 'mean is sum', (b, x, node) =>
    node.attrs['fn'] === 'mean' ? other(node, b, x, {}, { fn: 'sum' }) : undefined,
  ),
  changed('reduce', 'max starts from 0', (b, x, node) => {
    const { y } = other(node, b, x, {});
    return node.attrs['fn'] === 'max' && y !== undefined ? { y: b.binary('max', y, 0) } : undefined;
  }),
  changed('reduce', 'mean divides by one less', (b, x, node) => {
    const { y } = other(node, b, x, {});
    return node.attrs['fn'] === 'mean' && y !== undefined ? { y: b.binary('mul', y, 1.1) } : undefined;
  }),
  changed('reshape', 'moves memory', (b, x, node) => {
    const { shape, dtype } = x('x');
    if (dtype !== 'f32' || shape.length < 2) return undefined;
    return other(node, b, x, {
      x: b.add('transpose', { x: x('x') }, { axes: shape.map((_, i) => shape.length - 1 - i) }).y,
    });
  }),
  changed('transpose', 'axes read the other way', (b, x, node) => {
    const { axes } = node.attrs;
    if (!Array.isArray(axes)) return undefined;
    return other(node, b, x, {}, { axes: axes.map((_, i) => axes.indexOf(i)) });
  }),
  replaced('transpose', 'moves nothing', ({ x }, { y }) => y.data.set(x.data)),
  changed('slice', 'one further', (b, x, node) => {
    const [axis, start, end] = [Number(node.attrs['axis']), Number(node.attrs['start']), Number(node.attrs['end'])];
    const fits = end < Number(x('x').shape[axis]);
    return fits ? other(node, b, x, {}, { start: start + 1, end: end + 1 }) : undefined;
  }),
  changed('concat', 'b before a', (b, x, node) => {
    const swapped = b.insert('concat', { a: x('b'), b: x('a') }, node.attrs);
    return swapped;
  }),
  changed('broadcast', 'only one number is repeated', (b, x, node) => {
    const axes = x('x').shape.map((_, axis) => axis);
    return other(node, b, x, { x: b.reduce('mean', x('x'), axes, true) });
  }),
  replaced('gather', 'the row after', ({ table, ids }, { y }) => {
    const [rows, width] = [table.shape[0] ?? 0, table.shape[1] ?? 0];
    ids.data.forEach((id, n) => {
      const row = Math.min(rows - 1, id + 1);
      for (let c = 0; c < width; c++) y.data[n * width + c] = table.data[row * width + c] ?? 0;
    });
  }),
  replaced('gather', 'the last row is out of reach', ({ table, ids }, { y }) => {
    const [rows, width] = [table.shape[0] ?? 0, table.shape[1] ?? 0];
    ids.data.forEach((id, n) => {
      const row = Math.max(0, Math.min(rows - 2, id));
      for (let c = 0; c < width; c++) y.data[n * width + c] = table.data[row * width + c] ?? 0;
    });
  }),
  replaced('scatterAdd', 'the last of equal ids wins', ({ ids, x }, { y }) => {
    const width = x.shape[1] ?? 0;
    ids.data.forEach((id, n) => {
      for (let c = 0; c < width; c++) y.data[id * width + c] = x.data[n * width + c] ?? 0;
    });
  }),
  replaced('stateRead', 'rows in order, whatever the slots', ({ pool }, { y }) => {
    y.data.set(pool.data.subarray(0, y.data.length));
  }),
  { ...changed('stateWrite', 'never written', (_, x) => ({ y: x('pool') })), noticedBy: ['graph/'] },
  {
    ...changed(
      'stateWrite',
      'half of it',
      withInputs((b, x) => ({ value: b.binary('mul', x('value'), 0.5) })),
    ),
    noticedBy: ['graph/', 'tokenShift/'],
  },
  changed(
    'argmax',
    'of the smallest',
    withInputs((b, x) => ({ x: b.unary('neg', x('x')) })),
  ),
  replaced('argmax', 'the last of equal ones', ({ x }, { y }) => {
    const width = x.shape[1] ?? 0;
    for (let r = 0; r < y.data.length; r++) {
      const row = x.data.subarray(r * width, (r + 1) * width);
      let best = 0;
      for (let v = 0; v < width; v++) if ((row[v] ?? 0) >= (row[best] ?? 0)) best = v;
      y.data[r] = best;
    }
  }),
  replaced('argmax', 'the largest so far starts as 0', ({ x }, { y }) => {
    const width = x.shape[1] ?? 0;
    for (let r = 0; r < y.data.length; r++) {
      let [best, largest] = [0, 0];
      for (let v = 0; v < width; v++) {
        if ((x.data[r * width + v] ?? 0) > largest) [best, largest] = [v, x.data[r * width + v] ?? 0];
      }
      y.data[r] = best;
    }
  }),
  changed(
    'groupNorm',
    'one group',
    withAttrs(() => ({ groups: 1 })),
  ),
  changed(
    'groupNorm',
    'eps of the layer norm',
    withAttrs(() => ({ eps: 1e-5 })),
  ),
  changed(
    'groupNorm',
    'scale and shift exchanged',
    withInputs((_, x) => ({ w: x('b'), b: x('w') })),
  ),
  changed(
    'groupNormGrad',
    'one group',
    withAttrs(() => ({ groups: 1 })),
  ),
  changed('groupNormGrad', 'the gradient of b scaled', (b, x, node) => {
    const made = other(node, b, x, {});
    return { ...made, gb: b.binary('mul', b.reduce('sum', x('gy'), [0]), x('w')) };
  }),
  changed(
    'layerNorm',
    'wrong eps',
    withAttrs(({ eps }) => ({ eps: Number(eps) * 10 })),
  ),
  changed('layerNorm', 'variance of a sample', (b, x, node) => {
    const width = Number(x('x').shape[1]);
    const { y } = other(node, b, x, { b: b.full(0, [width]) });
    if (y === undefined || width < 2) return undefined;
    return { y: b.binary('add', b.binary('mul', y, Math.sqrt((width - 1) / width)), x('b')) };
  }),
  changed('layerNorm', 'mean not taken away', (b, x, node) => {
    const mean = b.reduce('mean', b.binary('mul', x('x'), x('x')), [1], true);
    const root = b.unary('sqrt', b.binary('add', mean, Number(node.attrs['eps'])));
    return { y: b.binary('add', b.binary('mul', b.binary('div', x('x'), root), x('w')), x('b')) };
  }),
  changed(
    'l2Norm',
    'over all groups',
    withAttrs(() => ({ groups: 1 })),
  ),
  changed('l2Norm', 'eps added', (b, x, node) => {
    const { y } = other(node, b, x, {});
    return y === undefined ? undefined : { y: b.binary('mul', y, 1 / (1 + Number(node.attrs['eps']))) };
  }),
  changed('softmax', 'not shifted by the maximum', (b, x) => {
    const powers = b.unary('exp', x('x'));
    return { y: b.binary('div', powers, b.reduce('sum', powers, [powers.shape.length - 1], true)) };
  }),
  changed('softmax', 'over all rows', (b, x) => {
    const axes = x('x').shape.map((_, axis) => axis);
    const powers = b.unary('exp', b.binary('sub', x('x'), b.reduce('max', x('x'), [axes.length - 1], true)));
    return { y: b.binary('div', powers, b.reduce('sum', powers, axes)) };
  }),
  changed(
    'crossEntropy',
    'rows to be left out count',
    withInputs((b, x) => ({ targets: atLeast0(b, x('targets')) })),
  ),
  changed('crossEntropy', 'in bits', (b, x, node) => {
    const { y } = other(node, b, x, {});
    return y === undefined ? undefined : { y: b.binary('mul', y, Math.LOG2E) };
  }),
  changed(
    'crossEntropyGrad',
    'the gradient of the losses is forgotten',
    withInputs((b, x) => ({ gy: b.full(1, x('gy').shape) })),
  ),
  changed(
    'crossEntropyGrad',
    'rows to be left out count',
    withInputs((b, x) => ({ targets: atLeast0(b, x('targets')) })),
  ),
];

/** i32 ids with −1 taken for 0. */
function atLeast0(b: GraphBuilder, ids: Value): Value {
  const floats = b.binary('max', b.add('cast', { x: ids }, { dtype: 'f32' }).y, 0);
  return b.add('cast', { x: floats }, { dtype: 'i32' }).y;
}
