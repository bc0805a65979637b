import { dim, type KernelOf } from '../kernel.ts';

export const matmul: KernelOf<'matmul'> = {
  encode({ inputs: { a, b }, outputs: { y }, attrs: { transposeA, transposeB } }, e) {
    e.emit('matmul', {
      ...{ a: e.address(a), b: e.address(b), y: e.address(y), scratch: e.scratchFor('matrices') },
      batch: e.size(...y.shape.slice(0, -2)),
      ...{ m: e.size(dim(y, -2)), k: e.size(dim(a, transposeA ? -2 : -1)), n: e.size(dim(y, -1)) },
      ...{ transpose_a: e.word(Number(transposeA)), transpose_b: e.word(Number(transposeB)) },
    });
  },
};
