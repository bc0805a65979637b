import type { KernelOf } from '../kernel.ts';

/** Where the states of a pool are read and written back by the same slots, they are inputs of the model instead (`ports.ts`). */
export const stateRead: KernelOf<'stateRead'> = {
  lower: ({ pool, slots }, _, __, o) => ({
    y: o.block.op('Gather', [o.ref(pool), o.clamp(o.ref(slots), pool.shape[0] ?? 0)]),
  }),
};
