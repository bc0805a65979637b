import { dim, type KernelOf } from '../kernel.ts';

export const scatterAdd: KernelOf<'scatterAdd'> = {
  encode({ inputs: { ids, x }, outputs: { y } }, e) {
    e.emit('scatter_add', {
      ...{ ids: e.address(ids), x: e.address(x), y: e.address(y) },
      ...{ count: e.size(dim(ids, 0)), rows: e.size(dim(y, 0)), width: e.size(dim(y, 1)) },
    });
  },
};
