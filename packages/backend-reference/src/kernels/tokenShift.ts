import { axisSize, beginState, forEachSequence, type KernelOf } from '../tensor.ts';

export const tokenShift: KernelOf<'tokenShift'> = {
  run({ x, prev, starts, slots }, { y, last }) {
    const width = axisSize(x, 1);
    beginState(prev, last);
    forEachSequence(starts, slots, (row, begin, end) => {
      if (begin === end) return;
      y.data.set(last.data.subarray(row * width, (row + 1) * width), begin * width);
      y.data.set(x.data.subarray(begin * width, (end - 1) * width), (begin + 1) * width);
      last.data.set(x.data.subarray((end - 1) * width, end * width), row * width);
    });
  },
};
