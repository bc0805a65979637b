import type { CompareFn } from '@receptance/core';
import type { KernelOf } from '../kernel.ts';
import { shader } from '../shaders.ts';
import { broadcasting, fewAxes } from './_broadcasting.ts';

const FN: Readonly<Record<CompareFn, number>> = { eq: 0, lt: 1, le: 2, gt: 3, ge: 4 };

export const compare: KernelOf<'compare'> = {
  accepts: fewAxes,
  lower({ a, b }, { y }, { fn }) {
    const constants = { FN: FN[fn], INTEGER: Number(a.dtype === 'i32') };
    return [broadcasting(shader('compare'), constants, [a, b], y)];
  },
};
