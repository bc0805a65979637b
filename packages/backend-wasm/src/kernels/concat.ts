import type { KernelOf } from '../kernel.ts';

export const concat: KernelOf<'concat'> = {
  encode({ inputs: { a, b }, outputs: { y }, attrs: { axis } }, e) {
    e.emit('concat', {
      ...{ a: e.address(a), b: e.address(b), y: e.address(y), rows: e.size(...y.shape.slice(0, axis)) },
      ...{ a_width: e.size(...a.shape.slice(axis)), b_width: e.size(...b.shape.slice(axis)) },
    });
  },
};
