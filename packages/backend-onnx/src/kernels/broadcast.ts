import type { KernelOf } from '../kernel.ts';

export const broadcast: KernelOf<'broadcast'> = {
  lower({ x }, _, { shape }, o) {
    // ONNX Runtime does not repeat an axis 0 times.
    if (o.isEmpty(shape)) return { y: o.full(0, shape) };
    return { y: o.block.op('Expand', [o.ref(x), o.shape(shape)]) };
  },
};
