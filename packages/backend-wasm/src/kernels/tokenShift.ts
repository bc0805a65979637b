import { dim, type KernelOf } from '../kernel.ts';

export const tokenShift: KernelOf<'tokenShift'> = {
  encode({ inputs: { x, prev, starts, slots }, outputs: { y, last } }, e) {
    e.emit('token_shift', {
      ...{ x: e.address(x), prev: e.address(prev), starts: e.address(starts), slots: e.address(slots) },
      ...{ y: e.address(y), last: e.address(last) },
      ...{ tokens: e.size(dim(x, 0)), sequences: e.size(dim(slots ?? prev, 0)), width: e.size(dim(x, 1)) },
      pool_rows: e.size(dim(prev, 0)),
    });
  },
};
