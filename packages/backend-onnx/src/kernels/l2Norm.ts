import type { KernelOf } from '../kernel.ts';

export const l2Norm: KernelOf<'l2Norm'> = {
  lower({ x }, { y }, { groups, eps }, o) {
    const { block } = o;
    const rows = o.reshape(o.ref(x), [x.shape[0] ?? 0, groups, Number(x.shape[1]) / groups]);
    const squares = o.reduce('ReduceSum', block.op('Mul', [rows, rows]), [2], true);
    const length = block.op('Max', [block.op('Sqrt', [squares]), block.floats([eps])]);
    return { y: o.reshape(block.op('Div', [rows, length]), y.shape) };
  },
};
