import { at, axisSize, type KernelOf, type Numbers } from '../tensor.ts';

export const argmax: KernelOf<'argmax'> = {
  run({ x }, { y }) {
    const width = axisSize(x, 1);
    for (let r = 0; r < y.data.length; r++) y.data[r] = firstMaximum(x.data.subarray(r * width, (r + 1) * width));
  },
};

export function firstMaximum(row: Numbers): number {
  let best = 0;
  for (let v = 1; v < row.length; v++) if (at(row, v) > at(row, best)) best = v;
  return best;
}
