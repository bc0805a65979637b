import { dim, type KernelOf } from '../kernel.ts';

export const softmax: KernelOf<'softmax'> = {
  encode({ inputs: { x }, outputs: { y } }, e) {
    const rows = e.size(...x.shape.slice(0, -1));
    e.emit('softmax', { x: e.address(x), y: e.address(y), rows, width: e.size(dim(x, -1)) });
  },
};
