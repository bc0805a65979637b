import { at, axisSize, type KernelOf } from '../tensor.ts';

export const softmax: KernelOf<'softmax'> = {
  run({ x }, { y }) {
    const width = axisSize(x, -1);
    for (let row = 0; row < x.data.length; row += width) {
      let max = Number.NEGATIVE_INFINITY;
      for (let c = 0; c < width; c++) max = Math.max(max, at(x.data, row + c));
      let sum = 0;
      for (let c = 0; c < width; c++) {
        const e = Math.exp(at(x.data, row + c) - max);
        y.data[row + c] = e;
        sum += e;
      }
      for (let c = 0; c < width; c++) y.data[row + c] = at(y.data, row + c) / sum;
    }
  },
};
