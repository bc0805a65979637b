import { elementCount } from '@receptance/core';
import { axisSize, type KernelOf, perElement, read, write } from '../kernel.ts';
import { shader } from '../shaders.ts';

export const linear: KernelOf<'linear'> = {
  lower: ({ x, w }, { y }, { transposed }) => [
    {
      shader: shader('linear'),
      constants: { TRANSPOSED: Number(transposed) },
      bindings: [read(x), read(w), write(y)],
      launch(sizes) {
        const count = elementCount(y.shape, sizes);
        return { workgroups: perElement(count), params: [count, axisSize(x, 1, sizes), axisSize(y, 1, sizes)] };
      },
    },
  ],
};
