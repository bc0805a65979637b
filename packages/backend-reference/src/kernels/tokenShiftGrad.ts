import { axisSize, forEachSequence, type KernelOf } from '../tensor.ts';

export const tokenShiftGrad: KernelOf<'tokenShiftGrad'> = {
  run({ starts, gy, glast }, { gx, gprev }) {
    const width = axisSize(gy, 1);
    forEachSequence(starts, undefined, (row, begin, end) => {
      const ofLast = glast.data.subarray(row * width, (row + 1) * width);
      if (begin === end) {
        gprev.data.set(ofLast, row * width);
        return;
      }
      gprev.data.set(gy.data.subarray(begin * width, (begin + 1) * width), row * width);
      gx.data.set(gy.data.subarray((begin + 1) * width, end * width), begin * width);
      gx.data.set(ofLast, (end - 1) * width);
    });
  },
};
