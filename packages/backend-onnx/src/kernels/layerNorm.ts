import type { KernelOf } from '../kernel.ts';

export const layerNorm: KernelOf<'layerNorm'> = {
  lower: ({ x, w, b }, _, { eps }, o) => ({
    y: o.block.op('LayerNormalization', [o.ref(x), o.ref(w), o.ref(b)], { axis: { int: -1 }, epsilon: { float: eps } }),
  }),
};
