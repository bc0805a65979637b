import { dim, type KernelOf } from '../kernel.ts';

export const stateRead: KernelOf<'stateRead'> = {
  encode({ inputs: { pool, slots }, outputs: { y } }, e) {
    e.emit('state_read', {
      ...{ pool: e.address(pool), slots: e.address(slots), y: e.address(y) },
      ...{ count: e.size(dim(slots, 0)), rows: e.size(dim(pool, 0)), width: e.size(...pool.shape.slice(1)) },
    });
  },
};
