import type { KernelOf } from '../kernel.ts';

export const tokenShiftGrad: KernelOf<'tokenShiftGrad'> = {
  lower({ starts, gy, glast }, _, __, o) {
    const [tokens = 0, width = 0] = gy.shape;
    const { shifted, first } = o.sequences(starts, tokens).unshift(o.ref(gy), o.ref(glast), width);
    return { gx: shifted, gprev: first };
  },
};
