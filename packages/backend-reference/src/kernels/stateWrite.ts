import { at, type KernelOf } from '../tensor.ts';

/** The output is the pool's own memory: only the slots of the sequences change. */
export const stateWrite: KernelOf<'stateWrite'> = {
  run({ slots, value }, { y }) {
    const size = value.data.length / Math.max(slots.data.length, 1);
    for (let s = 0; s < slots.data.length; s++) {
      y.data.set(value.data.subarray(s * size, (s + 1) * size), at(slots.data, s) * size);
    }
  },
};
