import { forEachBroadcast } from '../strides.ts';
import { at, type KernelOf } from '../tensor.ts';

export const select: KernelOf<'select'> = {
  run({ condition, a, b }, { y }) {
    forEachBroadcast(y.shape, [condition.shape, a.shape, b.shape], (i, [c = 0, p = 0, q = 0]) => {
      y.data[i] = at(condition.data, c) !== 0 ? at(a.data, p) : at(b.data, q);
    });
  },
};
