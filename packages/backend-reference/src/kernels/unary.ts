import type { UnaryFn } from '@receptance/core';
import { at, type KernelOf } from '../tensor.ts';

const FUNCTIONS: Readonly<Record<UnaryFn, (x: number) => number>> = {
  neg: (x) => -x,
  abs: Math.abs,
  exp: Math.exp,
  log: Math.log,
  sqrt: Math.sqrt,
  reciprocal: (x) => 1 / x,
  sigmoid: (x) => 1 / (1 + Math.exp(-x)),
  tanh: Math.tanh,
  relu: (x) => Math.max(x, 0),
};

export const unary: KernelOf<'unary'> = {
  run({ x }, { y }, { fn }) {
    const f = FUNCTIONS[fn];
    for (let i = 0; i < y.data.length; i++) y.data[i] = f(at(x.data, i));
  },
};
