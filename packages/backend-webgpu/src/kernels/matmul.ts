import { elementCount } from '@receptance/core';
import { axisSize, type KernelOf, perElement, read, write } from '../kernel.ts';
import { shader } from '../shaders.ts';

export const matmul: KernelOf<'matmul'> = {
  lower: ({ a, b }, { y }, { transposeA, transposeB }) => [
    {
      shader: shader('matmul'),
      bindings: [read(a), read(b), write(y)],
      launch(sizes) {
        const count = elementCount(y.shape, sizes);
        const [m, n] = [axisSize(y, -2, sizes), axisSize(y, -1, sizes)];
        const k = axisSize(a, transposeA ? -2 : -1, sizes);
        const strides = [...(transposeA ? [1, m] : [k, 1]), ...(transposeB ? [1, k] : [n, 1])];
        return { workgroups: perElement(count), params: [count, m, n, k, ...strides] };
      },
    },
  ],
};
