import { dim, type KernelOf } from '../kernel.ts';

export const linear: KernelOf<'linear'> = {
  encode({ inputs: { x, w }, outputs: { y }, attrs: { transposed } }, e) {
    e.emit(transposed ? 'linear_transposed' : 'linear', {
      ...{ x: e.address(x), w: e.address(w), y: e.address(y) },
      ...{ rows: e.size(dim(x, 0)), inner: e.size(dim(x, 1)), outer: e.size(dim(y, 1)) },
    });
  },
};
