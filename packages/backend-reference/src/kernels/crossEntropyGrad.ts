import { at, axisSize, type KernelOf } from '../tensor.ts';
import { logSumExp } from './crossEntropy.ts';

export const crossEntropyGrad: KernelOf<'crossEntropyGrad'> = {
  run({ logits, targets, gy }, { glogits }) {
    const width = axisSize(logits, 1);
    for (let n = 0; n < targets.data.length; n++) {
      const target = at(targets.data, n);
      if (target < 0) continue;
      const [row, g] = [n * width, at(gy.data, n)];
      const total = logSumExp(logits.data, row, width);
      for (let c = 0; c < width; c++) {
        const probability = Math.exp(at(logits.data, row + c) - total);
        glogits.data[row + c] = g * (probability - (c === target ? 1 : 0));
      }
    }
  },
};
