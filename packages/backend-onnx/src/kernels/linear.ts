import type { KernelOf } from '../kernel.ts';
import { linearOfBlocks } from './_blocks.ts';

export const linear: KernelOf<'linear'> = {
  lower({ x, w }, _, { transposed }, o) {
    const blocks = transposed ? undefined : o.blocks(w);
    const product = blocks === undefined ? undefined : linearOfBlocks(x, blocks, o);
    if (product !== undefined) return { y: product };
    const { ref, turned } = o.matrix(w);
    return { y: o.block.op('Gemm', [o.ref(x), ref], { transB: { int: transposed === turned ? 1 : 0 } }) };
  },
};
