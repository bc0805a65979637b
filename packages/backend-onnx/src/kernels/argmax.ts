import type { KernelOf } from '../kernel.ts';
import { firstMaximum } from './_rows.ts';

export const argmax: KernelOf<'argmax'> = {
  lower: ({ x }, _, __, o) => ({ y: firstMaximum(o.ref(x), o, x.shape[1]) }),
};
