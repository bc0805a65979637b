import { elementCount } from '@receptance/core';
import { floatBits, type KernelOf, perElement, write } from '../kernel.ts';
import { shader } from '../shaders.ts';

export const full: KernelOf<'full'> = {
  lower: (_, { y }, { value }) => [
    {
      shader: shader('full'),
      bindings: [write(y)],
      launch(sizes) {
        const count = elementCount(y.shape, sizes);
        return { workgroups: perElement(count), params: [count, floatBits(value)] };
      },
    },
  ],
};
