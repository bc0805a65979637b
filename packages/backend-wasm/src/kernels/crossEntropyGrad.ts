import { dim, type KernelOf } from '../kernel.ts';

export const crossEntropyGrad: KernelOf<'crossEntropyGrad'> = {
  encode({ inputs: { logits, targets, gy }, outputs: { glogits } }, e) {
    e.emit('cross_entropy_grad', {
      ...{ logits: e.address(logits), targets: e.address(targets), gy: e.address(gy), glogits: e.address(glogits) },
      ...{ rows: e.size(dim(logits, 0)), width: e.size(dim(logits, 1)) },
    });
  },
};
