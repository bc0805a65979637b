import type { Value } from '@receptance/core';
import type { KernelOf, Program } from '../kernel.ts';
import { stridesOf } from '../strided.ts';
import { fewAxes } from './_broadcasting.ts';
import { copyAlong } from './_copy.ts';

export const concat: KernelOf<'concat'> = {
  accepts: fewAxes,
  lower({ a, b }, { y }, { axis }) {
    const put = (part: Value, start: number): Program =>
      copyAlong(part, y, (shape, whole) => {
        const strides = stridesOf(whole);
        const base = start * (strides[axis] ?? 0);
        return { shape, x: { base: 0, strides: stridesOf(shape) }, y: { base, strides } };
      });
    return [put(a, 0), put(b, Number(a.shape[axis]))];
  },
};
