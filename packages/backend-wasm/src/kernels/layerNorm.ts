import { dim, type KernelOf } from '../kernel.ts';

export const layerNorm: KernelOf<'layerNorm'> = {
  encode({ inputs: { x, w, b }, outputs: { y }, attrs: { eps } }, e) {
    e.emit('layer_norm', {
      ...{ x: e.address(x), w: e.address(w), b: e.address(b), y: e.address(y) },
      ...{ rows: e.size(dim(x, 0)), width: e.size(dim(x, 1)), eps: e.float(eps) },
    });
  },
};
