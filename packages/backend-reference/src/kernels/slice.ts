import { at, axisSize, type KernelOf } from '../tensor.ts';

export const slice: KernelOf<'slice'> = {
  run({ x }, { y }, { axis, start, end }) {
    const inner = x.shape.slice(axis + 1).reduce((product, size) => product * size, 1);
    const [from, length] = [axisSize(x, axis) * inner, (end - start) * inner];
    for (let i = 0; i < y.data.length; i++) {
      y.data[i] = at(x.data, Math.floor(i / length) * from + start * inner + (i % length));
    }
  },
};
