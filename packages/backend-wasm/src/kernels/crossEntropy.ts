import { dim, type KernelOf } from '../kernel.ts';

export const crossEntropy: KernelOf<'crossEntropy'> = {
  encode({ inputs: { logits, targets }, outputs: { y } }, e) {
    e.emit('cross_entropy', {
      ...{ logits: e.address(logits), targets: e.address(targets), y: e.address(y) },
      ...{ rows: e.size(dim(logits, 0)), width: e.size(dim(logits, 1)) },
    });
  },
};
