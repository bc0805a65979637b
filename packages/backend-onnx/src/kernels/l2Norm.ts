import type { KernelOf } from '../kernel.ts';

export const l2Norm: KernelOf<'l2Norm'> = {
  lower({ x }, { y }, { groups, eps }, o) {
    const { block } = o;
    const rows = o.reshape(o.ref(x), [x.shape[0] ?? 0, groups, Number(x.shape[1]) / groups]);
    const length = block.op('Max', [o.reduce('ReduceL2', rows, [2], true), block.floats([eps])]);
    return { y: o.reshape(block.op('Div', [rows, length]), y.shape) };
  },
};
