import type { KernelOf } from '../kernel.ts';

/** Element by element rather than row by row: ONNX Runtime adds elements in their order. */
export const scatterAdd: KernelOf<'scatterAdd'> = {
  lower({ ids, x }, { y }, { rows }, o) {
    const { block } = o;
    const zeros = o.full(0, y.shape);
    const places = block.op('Expand', [o.unsqueeze(o.clamp(o.ref(ids), rows), 1), o.shape(x.shape)]);
    return {
      y: block.op('ScatterElements', [zeros, places, o.ref(x)], { axis: { int: 0 }, reduction: { text: 'add' } }),
    };
  },
};
