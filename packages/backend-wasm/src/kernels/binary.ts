import type { BinaryFn } from '@receptance/core';
import { broadcastAxes } from '../axes.ts';
import { acceptsBroadcast, type KernelOf } from '../kernel.ts';

/** As the crate numbers them. */
export const BINARY_FUNCTIONS: Readonly<Record<BinaryFn, number>> = { add: 0, sub: 1, mul: 2, div: 3, min: 4, max: 5 };

export const binary: KernelOf<'binary'> = {
  accepts: acceptsBroadcast,
  encode({ inputs: { a, b }, outputs: { y }, attrs: { fn } }, e) {
    const axes = e.axes(broadcastAxes(y.shape, [a.shape, b.shape]), 2);
    e.emit('binary', {
      function: e.word(BINARY_FUNCTIONS[fn]),
      a: e.address(a),
      b: e.address(b),
      y: e.address(y),
      axes,
      count: e.size(...y.shape),
    });
  },
};
