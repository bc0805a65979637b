import type { BinaryFn } from '@receptance/core';
import { forEachBroadcast } from '../strides.ts';
import { at, type KernelOf } from '../tensor.ts';

const FUNCTIONS: Readonly<Record<BinaryFn, (a: number, b: number) => number>> = {
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  div: (a, b) => a / b,
  min: Math.min,
  max: Math.max,
};

export const binary: KernelOf<'binary'> = {
  run({ a, b }, { y }, { fn }) {
    const f = FUNCTIONS[fn];
    forEachBroadcast(y.shape, [a.shape, b.shape], (i, [p = 0, q = 0]) => {
      y.data[i] = f(at(a.data, p), at(b.data, q));
    });
  },
};
