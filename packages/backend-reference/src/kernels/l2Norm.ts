import { at, axisSize, type KernelOf } from '../tensor.ts';

export const l2Norm: KernelOf<'l2Norm'> = {
  run({ x }, { y }, { groups, eps }) {
    const size = axisSize(x, 1) / groups;
    for (let group = 0; group < x.data.length; group += size) {
      let sum = 0;
      for (let c = 0; c < size; c++) sum += at(x.data, group + c) ** 2;
      const length = Math.max(Math.sqrt(sum), eps);
      for (let c = 0; c < size; c++) y.data[group + c] = at(x.data, group + c) / length;
    }
  },
};
