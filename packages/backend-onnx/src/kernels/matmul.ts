import type { Value } from '@receptance/core';
import type { KernelOf } from '../kernel.ts';
import type { Lowering } from '../lowering/lowering.ts';

export const matmul: KernelOf<'matmul'> = {
  lower({ a, b }, { y }, { transposeA, transposeB }, o) {
    if (o.isEmpty(a.shape, b.shape)) return { y: o.full(0, y.shape) };
    return { y: o.block.op('MatMul', [turned(a, transposeA, o), turned(b, transposeB, o)]) };
  },
};

function turned(x: Value, transposed: boolean, o: Lowering): string {
  if (!transposed) return o.ref(x);
  const rank = x.shape.length;
  return o.transpose(o.ref(x), [...x.shape.keys()].slice(0, -2).concat(rank - 1, rank - 2));
}
