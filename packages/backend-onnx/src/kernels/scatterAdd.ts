import type { KernelOf } from '../kernel.ts';

/**
 * Element by element rather than row by row: ONNX Runtime's CPU adds elements in their order. A GPU adds them in any, so there it
 * is a product with a matrix of ones and zeros, as large as the logits.
 */
export const scatterAdd: KernelOf<'scatterAdd'> = {
  lower({ ids, x }, { y }, { rows }, o) {
    const { block } = o;
    if (o.isEmpty(x.shape)) return { y: o.full(0, y.shape) };
    const places = o.unsqueeze(o.clamp(o.ref(ids), rows), 1);
    const count = o.fixed(rows);
    if (o.target.provider === 'webgpu' && count !== undefined) {
      const columns = block.op('Range', [block.ints32([0]), block.ints32([count]), block.ints32([1])]);
      const isThere = o.cast(block.op('Equal', [places, columns]), 'float32');
      return { y: block.op('Gemm', [isThere, o.ref(x)], { transA: { int: 1 } }) };
    }
    const elements = block.op('Expand', [places, o.shape(x.shape)]);
    return {
      y: block.op('ScatterElements', [o.full(0, y.shape), elements, o.ref(x)], {
        axis: { int: 0 },
        reduction: { text: 'add' },
      }),
    };
  },
};
