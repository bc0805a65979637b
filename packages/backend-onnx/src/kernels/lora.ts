import type { KernelOf } from '../kernel.ts';

const MIDDLES = { tanh: 'Tanh', sigmoid: 'Sigmoid' } as const;

/** By `Gemm`, to which ONNX Runtime joins what follows: a bias, a non-linearity. */
export const lora: KernelOf<'lora'> = {
  lower({ x, w1, w2, bias }, _, { fn }, o) {
    const { block } = o;
    const low = block.op('Gemm', [o.ref(x), o.ref(w1)]);
    const middle = fn === 'none' ? low : block.op(MIDDLES[fn], [low]);
    return { y: block.op('Gemm', [middle, o.ref(w2), ...(bias === undefined ? [] : [o.ref(bias)])]) };
  },
};
