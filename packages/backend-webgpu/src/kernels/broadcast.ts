import type { KernelOf } from '../kernel.ts';
import { broadcastStrides, stridesOf } from '../strided.ts';
import { fewAxes } from './_broadcasting.ts';
import { copyAlong } from './_copy.ts';

export const broadcast: KernelOf<'broadcast'> = {
  accepts: fewAxes,
  lower: ({ x }, { y }) => [
    copyAlong(x, y, (from, shape) => ({
      shape,
      x: { base: 0, strides: broadcastStrides(from, shape) },
      y: { base: 0, strides: stridesOf(shape) },
    })),
  ],
};
