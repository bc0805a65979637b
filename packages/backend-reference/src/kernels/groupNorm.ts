import { at, axisSize, type KernelOf, type Numbers } from '../tensor.ts';

export const groupNorm: KernelOf<'groupNorm'> = {
  run({ x, w, b }, { y }, { groups, eps }) {
    normalizeGroups(x.data, w.data, b.data, y.data, axisSize(x, 1), axisSize(x, 1) / groups, eps);
  },
};

/** Each run of `size` numbers to mean 0 and variance 1; `w` and `b` go by channel of a row of `width`. */
export function normalizeGroups(
  x: Numbers,
  w: Numbers,
  b: Numbers,
  y: Numbers,
  width: number,
  size: number,
  eps: number,
): void {
  for (let group = 0; group < x.length; group += size) {
    let mean = 0;
    for (let c = 0; c < size; c++) mean += at(x, group + c) / size;
    let variance = 0;
    for (let c = 0; c < size; c++) variance += (at(x, group + c) - mean) ** 2 / size;
    const deviation = Math.sqrt(variance + eps);
    for (let c = 0; c < size; c++) {
      const channel = (group + c) % width;
      y[group + c] = ((at(x, group + c) - mean) / deviation) * at(w, channel) + at(b, channel);
    }
  }
}
