import type { KernelOf } from '../kernel.ts';
import { linearOfBlocks } from './_blocks.ts';

export const linear: KernelOf<'linear'> = {
  lower({ x, w }, _, { transposed }, o) {
    const blocks = transposed ? undefined : o.blocks(w);
    const product = blocks === undefined ? undefined : linearOfBlocks(x, blocks, o);
    if (product !== undefined) return { y: product };
    const operands = [o.ref(x), o.ref(w)];
    return { y: transposed ? o.block.op('MatMul', operands) : o.block.op('Gemm', operands, { transB: { int: 1 } }) };
  },
};
