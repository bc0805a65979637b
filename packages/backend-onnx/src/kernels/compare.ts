import type { CompareFn } from '@receptance/core';
import type { KernelOf } from '../kernel.ts';

const OPS: Readonly<Record<CompareFn, string>> = {
  eq: 'Equal',
  lt: 'Less',
  le: 'LessOrEqual',
  gt: 'Greater',
  ge: 'GreaterOrEqual',
};

export const compare: KernelOf<'compare'> = {
  lower: ({ a, b }, _, { fn }, o) => ({ y: o.cast(o.block.op(OPS[fn], [o.ref(a), o.ref(b)]), 'int32') }),
};
