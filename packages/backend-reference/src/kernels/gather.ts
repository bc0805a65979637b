import { at, axisSize, type KernelOf } from '../tensor.ts';

export const gather: KernelOf<'gather'> = {
  run({ table, ids }, { y }) {
    const [rows, width] = [axisSize(table, 0), axisSize(table, 1)];
    for (let n = 0; n < ids.data.length; n++) {
      const id = Math.min(Math.max(at(ids.data, n), 0), rows - 1);
      for (let c = 0; c < width; c++) y.data[n * width + c] = at(table.data, id * width + c);
    }
  },
};
