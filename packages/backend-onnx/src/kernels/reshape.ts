import type { KernelOf } from '../kernel.ts';

export const reshape: KernelOf<'reshape'> = {
  lower: ({ x }, _, { shape }, o) => ({ y: o.reshape(o.ref(x), shape) }),
};
