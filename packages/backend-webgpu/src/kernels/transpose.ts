import type { KernelOf } from '../kernel.ts';
import { stridesOf } from '../strided.ts';
import { fewAxes } from './_broadcasting.ts';
import { copyAlong } from './_copy.ts';

export const transpose: KernelOf<'transpose'> = {
  accepts: fewAxes,
  lower: ({ x }, { y }, { axes }) => [
    copyAlong(x, y, (from, shape) => {
      const strides = stridesOf(from);
      const permuted = axes.map((axis) => strides[axis] ?? 0);
      return { shape, x: { base: 0, strides: permuted }, y: { base: 0, strides: stridesOf(shape) } };
    }),
  ],
};
