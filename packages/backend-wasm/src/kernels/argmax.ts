import { dim, type KernelOf } from '../kernel.ts';

export const argmax: KernelOf<'argmax'> = {
  encode({ inputs: { x }, outputs: { y } }, e) {
    e.emit('argmax', { x: e.address(x), y: e.address(y), rows: e.size(dim(x, 0)), width: e.size(dim(x, 1)) });
  },
};
