import { forEachBroadcast } from '../strides.ts';
import { at, type KernelOf } from '../tensor.ts';

export const broadcast: KernelOf<'broadcast'> = {
  run({ x }, { y }) {
    forEachBroadcast(y.shape, [x.shape], (i, [place = 0]) => {
      y.data[i] = at(x.data, place);
    });
  },
};
