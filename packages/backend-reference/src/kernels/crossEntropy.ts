import { at, axisSize, type KernelOf, type Numbers } from '../tensor.ts';

export const crossEntropy: KernelOf<'crossEntropy'> = {
  run({ logits, targets }, { y }) {
    const width = axisSize(logits, 1);
    for (let n = 0; n < targets.data.length; n++) {
      const target = at(targets.data, n);
      if (target < 0) continue;
      y.data[n] = logSumExp(logits.data, n * width, width) - at(logits.data, n * width + target);
    }
  },
};

/** log Σ exp of `width` numbers from `row` on, shifted by their maximum. */
export function logSumExp(x: Numbers, row: number, width: number): number {
  let max = Number.NEGATIVE_INFINITY;
  for (let c = 0; c < width; c++) max = Math.max(max, at(x, row + c));
  let sum = 0;
  for (let c = 0; c < width; c++) sum += Math.exp(at(x, row + c) - max);
  return max + Math.log(sum);
}
