import type { KernelOf } from '../kernel.ts';

export const slice: KernelOf<'slice'> = {
  lower: ({ x }, _, { axis, start, end }, o) => ({ y: o.slice(o.ref(x), axis, start, end) }),
};
