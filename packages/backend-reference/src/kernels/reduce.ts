import { forEachPlace, stridesOf } from '../strides.ts';
import { at, type KernelOf } from '../tensor.ts';

export const reduce: KernelOf<'reduce'> = {
  run({ x }, { y }, { fn, axes }) {
    const kept = x.shape.map((size, axis) => (axes.includes(axis) ? 1 : size));
    const strides = stridesOf(kept).map((stride, axis) => (axes.includes(axis) ? 0 : stride));
    if (fn === 'max') y.data.fill(Number.NEGATIVE_INFINITY);
    forEachPlace(x.shape, [strides], (i, [place = 0]) => {
      const [sum, value] = [at(y.data, place), at(x.data, i)];
      y.data[place] = fn === 'max' ? Math.max(sum, value) : sum + value;
    });
    if (fn === 'mean') {
      const count = x.data.length / Math.max(y.data.length, 1);
      for (let i = 0; i < y.data.length; i++) y.data[i] = at(y.data, i) / count;
    }
  },
};
