import type { KernelOf } from '../kernel.ts';
import { stridesOf } from '../strided.ts';
import { fewAxes } from './_broadcasting.ts';
import { copyAlong } from './_copy.ts';

export const slice: KernelOf<'slice'> = {
  accepts: fewAxes,
  lower: ({ x }, { y }, { axis, start }) => [
    copyAlong(x, y, (from, shape) => {
      const strides = stridesOf(from);
      const base = start * (strides[axis] ?? 0);
      return { shape, x: { base, strides }, y: { base: 0, strides: stridesOf(shape) } };
    }),
  ],
};
