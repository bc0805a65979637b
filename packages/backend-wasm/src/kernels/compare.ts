import type { CompareFn } from '@receptance/core';
import { broadcastAxes } from '../axes.ts';
import { acceptsBroadcast, type KernelOf } from '../kernel.ts';

/** As the crate numbers them. */
export const COMPARE_FUNCTIONS: Readonly<Record<CompareFn, number>> = { eq: 0, lt: 1, le: 2, gt: 3, ge: 4 };

export const compare: KernelOf<'compare'> = {
  accepts: acceptsBroadcast,
  encode({ inputs: { a, b }, outputs: { y }, attrs: { fn } }, e) {
    const axes = e.axes(broadcastAxes(y.shape, [a.shape, b.shape]), 2);
    const operands = {
      function: e.word(COMPARE_FUNCTIONS[fn]),
      a: e.address(a),
      b: e.address(b),
      y: e.address(y),
      axes,
      count: e.size(...y.shape),
    };
    e.emit(a.dtype === 'i32' ? 'compare_whole' : 'compare', operands);
  },
};
