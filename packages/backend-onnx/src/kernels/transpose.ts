import type { KernelOf } from '../kernel.ts';

export const transpose: KernelOf<'transpose'> = {
  lower: ({ x }, _, { axes }, o) => ({ y: o.transpose(o.ref(x), axes) }),
};
