import type { KernelOf } from '../kernel.ts';

export const full: KernelOf<'full'> = {
  encode({ outputs: { y }, attrs: { value } }, e) {
    e.emit('full', { value: e.float(value), y: e.address(y), count: e.size(...y.shape) });
  },
};
