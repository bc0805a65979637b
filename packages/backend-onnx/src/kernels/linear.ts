import type { KernelOf } from '../kernel.ts';
import { linearOfBlocks } from './_blocks.ts';

export const linear: KernelOf<'linear'> = {
  lower({ x, w }, { y }, { transposed }, o) {
    // Of no row, as where a text is read whose logits nobody wants, a head in blocks would be widened for nothing.
    if (o.isEmpty(y.shape)) return { y: o.full(0, y.shape) };
    const blocks = transposed ? undefined : o.blocks(w);
    const product = blocks === undefined ? undefined : linearOfBlocks(x, blocks, o);
    if (product !== undefined) return { y: product };
    const { ref, turned } = o.matrix(w);
    return { y: o.block.op('Gemm', [o.ref(x), ref], { transB: { int: transposed === turned ? 1 : 0 } }) };
  },
};
