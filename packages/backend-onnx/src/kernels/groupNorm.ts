import type { KernelOf } from '../kernel.ts';

/** Each group as a row of its own, normed without scale; that goes by channel of the whole row. */
export const groupNorm: KernelOf<'groupNorm'> = {
  lower({ x, w, b }, { y }, { groups, eps }, o) {
    const { block } = o;
    const size = Number(x.shape[1]) / groups;
    const rows = o.reshape(o.ref(x), [x.shape[0] ?? 0, groups, size]);
    const one = block.floats(Array<number>(size).fill(1), [size]);
    const normed = block.op('LayerNormalization', [rows, one], { axis: { int: -1 }, epsilon: { float: eps } });
    const flat = o.reshape(normed, y.shape);
    return { y: block.op('Add', [block.op('Mul', [flat, o.ref(w)]), o.ref(b)]) };
  },
};
