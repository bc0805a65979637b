import { at, axisSize, type KernelOf } from '../tensor.ts';

export const concat: KernelOf<'concat'> = {
  run({ a, b }, { y }, { axis }) {
    const inner = a.shape.slice(axis + 1).reduce((product, size) => product * size, 1);
    const [m, n] = [axisSize(a, axis) * inner, axisSize(b, axis) * inner];
    for (let i = 0; i < y.data.length; i++) {
      const [row, place] = [Math.floor(i / (m + n)), i % (m + n)];
      y.data[i] = place < m ? at(a.data, row * m + place) : at(b.data, row * n + place - m);
    }
  },
};
