import { dim, type KernelOf } from '../kernel.ts';

export const stateWrite: KernelOf<'stateWrite'> = {
  encode({ inputs: { pool, slots, value } }, e) {
    e.emit('state_write', {
      ...{ pool: e.address(pool), slots: e.address(slots), value: e.address(value) },
      ...{ count: e.size(dim(slots, 0)), rows: e.size(dim(pool, 0)), width: e.size(...pool.shape.slice(1)) },
    });
  },
};
