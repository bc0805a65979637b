import { dim, type KernelOf } from '../kernel.ts';

export const gather: KernelOf<'gather'> = {
  encode({ inputs: { table, ids }, outputs: { y } }, e) {
    e.emit('gather', {
      ...{ table: e.address(table), ids: e.address(ids), y: e.address(y) },
      ...{ count: e.size(dim(ids, 0)), rows: e.size(dim(table, 0)), width: e.size(dim(table, 1)) },
    });
  },
};
