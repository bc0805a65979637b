import type { BinaryFn } from '@receptance/core';
import type { KernelOf } from '../kernel.ts';

const OPS: Readonly<Record<BinaryFn, string>> = {
  add: 'Add',
  sub: 'Sub',
  mul: 'Mul',
  div: 'Div',
  min: 'Min',
  max: 'Max',
};

export const binary: KernelOf<'binary'> = {
  lower: ({ a, b }, _, { fn }, o) => ({ y: o.block.op(OPS[fn], [o.ref(a), o.ref(b)]) }),
};
