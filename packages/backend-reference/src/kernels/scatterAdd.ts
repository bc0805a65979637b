import { at, axisSize, type KernelOf } from '../tensor.ts';

export const scatterAdd: KernelOf<'scatterAdd'> = {
  run({ ids, x }, { y }) {
    const [rows, width] = [axisSize(y, 0), axisSize(x, 1)];
    for (let n = 0; n < ids.data.length; n++) {
      const id = Math.min(Math.max(at(ids.data, n), 0), rows - 1);
      for (let c = 0; c < width; c++) {
        y.data[id * width + c] = at(y.data, id * width + c) + at(x.data, n * width + c);
      }
    }
  },
};
