import type { KernelOf } from '../kernel.ts';

export const cast: KernelOf<'cast'> = {
  lower: ({ x }, _, { dtype }, o) => ({ y: o.cast(o.ref(x), dtype === 'i32' ? 'int32' : 'float32') }),
};
