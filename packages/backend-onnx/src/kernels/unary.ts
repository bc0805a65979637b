import type { UnaryFn } from '@receptance/core';
import type { KernelOf } from '../kernel.ts';

const OPS: Readonly<Record<UnaryFn, string>> = {
  neg: 'Neg',
  abs: 'Abs',
  exp: 'Exp',
  log: 'Log',
  sqrt: 'Sqrt',
  reciprocal: 'Reciprocal',
  sigmoid: 'Sigmoid',
  tanh: 'Tanh',
  relu: 'Relu',
};

export const unary: KernelOf<'unary'> = {
  lower: ({ x }, _, { fn }, o) => ({ y: o.block.op(OPS[fn], [o.ref(x)]) }),
};
