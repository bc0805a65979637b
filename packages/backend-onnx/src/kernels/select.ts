import type { KernelOf } from '../kernel.ts';

export const select: KernelOf<'select'> = {
  lower: ({ condition, a, b }, _, __, o) => ({
    y: o.block.op('Where', [o.cast(o.ref(condition), 'bool'), o.ref(a), o.ref(b)]),
  }),
};
