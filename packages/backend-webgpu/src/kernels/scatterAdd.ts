import { elementCount } from '@receptance/core';
import { axisSize, type KernelOf, perElement, read, write } from '../kernel.ts';
import { shader } from '../shaders.ts';

export const scatterAdd: KernelOf<'scatterAdd'> = {
  lower: ({ ids, x }, { y }) => [
    {
      shader: shader('scatterAdd'),
      bindings: [read(ids), read(x), write(y)],
      launch(sizes) {
        const count = elementCount(y.shape, sizes);
        return { workgroups: perElement(count), params: [count, axisSize(x, 1, sizes), axisSize(x, 0, sizes)] };
      },
    },
  ],
};
