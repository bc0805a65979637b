import type { KernelOf } from '../kernel.ts';

export const full: KernelOf<'full'> = {
  lower: (_, __, { value, shape }, o) => ({ y: o.full(value, shape) }),
};
