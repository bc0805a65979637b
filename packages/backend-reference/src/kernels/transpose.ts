import { forEachPlace, stridesOf } from '../strides.ts';
import { at, type KernelOf } from '../tensor.ts';

export const transpose: KernelOf<'transpose'> = {
  run({ x }, { y }, { axes }) {
    const strides = stridesOf(x.shape);
    const moved = axes.map((axis) => strides[axis] ?? 0);
    forEachPlace(y.shape, [moved], (i, [place = 0]) => {
      y.data[i] = at(x.data, place);
    });
  },
};
