import type { KernelOf } from '../kernel.ts';

export const concat: KernelOf<'concat'> = {
  lower: ({ a, b }, _, { axis }, o) => ({ y: o.concat([o.ref(a), o.ref(b)], axis) }),
};
