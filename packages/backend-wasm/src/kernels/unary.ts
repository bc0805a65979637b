import type { UnaryFn } from '@receptance/core';
import type { KernelOf } from '../kernel.ts';

/** As the crate numbers them. */
export const UNARY_FUNCTIONS: Readonly<Record<UnaryFn, number>> = {
  neg: 0,
  abs: 1,
  exp: 2,
  log: 3,
  sqrt: 4,
  reciprocal: 5,
  sigmoid: 6,
  tanh: 7,
  relu: 8,
};

export const unary: KernelOf<'unary'> = {
  encode({ inputs: { x }, outputs: { y }, attrs: { fn } }, e) {
    const operands = { x: e.address(x), y: e.address(y), count: e.size(...y.shape) };
    e.emit('unary', { function: e.word(UNARY_FUNCTIONS[fn]), ...operands });
  },
};
