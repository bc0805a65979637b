import type { KernelOf } from '../tensor.ts';

export const full: KernelOf<'full'> = {
  run(_, { y }, { value }) {
    y.data.fill(value);
  },
};
