import type { KernelOf } from '../kernel.ts';

export const stateWrite: KernelOf<'stateWrite'> = {
  lower({ pool, slots, value }, _, __, o) {
    const rows = o.cast(o.clamp(o.ref(slots), pool.shape[0] ?? 0), 'int64');
    return { y: o.block.op('ScatterND', [o.ref(pool), o.unsqueeze(rows, 1), o.ref(value)]) };
  },
};
