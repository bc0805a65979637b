import type { KernelOf } from '../kernel.ts';

/** Each group as a row of its own. Scales go by channel of the whole row, which not every provider takes. */
export const groupNorm: KernelOf<'groupNorm'> = {
  lower({ x, w, b }, { y }, { groups, eps }, o) {
    const { block } = o;
    const size = Number(x.shape[1]) / groups;
    const rows = o.reshape(o.ref(x), [x.shape[0] ?? 0, groups, size]);
    const norm = (...weights: string[]): string =>
      block.op('LayerNormalization', [rows, ...weights], { axis: { int: -1 }, epsilon: { float: eps } });
    if (o.target.provider === 'cpu') {
      const perGroup = (weights: string): string => o.reshape(weights, [1, groups, size]);
      return { y: o.reshape(norm(perGroup(o.ref(w)), perGroup(o.ref(b))), y.shape) };
    }
    const flat = o.reshape(norm(block.floats(Array<number>(size).fill(1), [size])), y.shape);
    return { y: block.op('Add', [block.op('Mul', [flat, o.ref(w)]), o.ref(b)]) };
  },
};
