import { acceptsUnpooled, type KernelOf } from '../kernel.ts';

export const tokenShift: KernelOf<'tokenShift'> = {
  accepts: acceptsUnpooled,
  lower({ x, prev, starts }, _, __, o) {
    const [tokens = 0, width = 0] = x.shape;
    const { shifted, last } = o.sequences(starts, tokens).shift(o.ref(x), o.ref(prev), width);
    return { y: shifted, last };
  },
};
