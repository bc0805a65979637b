import { dim, type KernelOf } from '../kernel.ts';

export const l2Norm: KernelOf<'l2Norm'> = {
  encode({ inputs: { x }, outputs: { y }, attrs: { groups, eps } }, e) {
    const [rows, width] = [e.size(dim(x, 0), groups), e.size(Number(dim(x, 1)) / groups)];
    e.emit('l2_norm', { x: e.address(x), y: e.address(y), rows, width, eps: e.float(eps) });
  },
};
