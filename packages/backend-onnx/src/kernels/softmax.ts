import type { KernelOf } from '../kernel.ts';

export const softmax: KernelOf<'softmax'> = {
  lower: ({ x }, _, __, o) => ({ y: o.block.op('Softmax', [o.ref(x)], { axis: { int: -1 } }) }),
};
