import type { CompareFn } from '@receptance/core';
import { forEachBroadcast } from '../strides.ts';
import { at, type KernelOf } from '../tensor.ts';

const FUNCTIONS: Readonly<Record<CompareFn, (a: number, b: number) => boolean>> = {
  eq: (a, b) => a === b,
  lt: (a, b) => a < b,
  le: (a, b) => a <= b,
  gt: (a, b) => a > b,
  ge: (a, b) => a >= b,
};

export const compare: KernelOf<'compare'> = {
  run({ a, b }, { y }, { fn }) {
    const f = FUNCTIONS[fn];
    forEachBroadcast(y.shape, [a.shape, b.shape], (i, [p = 0, q = 0]) => {
      y.data[i] = f(at(a.data, p), at(b.data, q)) ? 1 : 0;
    });
  },
};
