import { at, type KernelOf } from '../tensor.ts';

export const cast: KernelOf<'cast'> = {
  run({ x }, { y }, { dtype }) {
    for (let i = 0; i < y.data.length; i++) y.data[i] = dtype === 'i32' ? Math.trunc(at(x.data, i)) : at(x.data, i);
  },
};
