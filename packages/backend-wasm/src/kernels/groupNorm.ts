import { dim, type KernelOf } from '../kernel.ts';

export const groupNorm: KernelOf<'groupNorm'> = {
  encode({ inputs: { x, w, b }, outputs: { y }, attrs: { groups, eps } }, e) {
    const width = e.size(Number(dim(x, 1)) / groups);
    e.emit('group_norm', {
      ...{ x: e.address(x), w: e.address(w), b: e.address(b), y: e.address(y) },
      ...{ rows: e.size(dim(x, 0)), groups: e.size(groups), width, eps: e.float(eps) },
    });
  },
};
