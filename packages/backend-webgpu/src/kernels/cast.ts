import { elementCount } from '@receptance/core';
import { type KernelOf, perElement, read, write } from '../kernel.ts';
import { shader } from '../shaders.ts';

export const cast: KernelOf<'cast'> = {
  lower: ({ x }, { y }) => [
    {
      shader: shader('cast'),
      constants: { FROM_INTEGER: Number(x.dtype === 'i32'), TO_INTEGER: Number(y.dtype === 'i32') },
      bindings: [read(x), write(y)],
      launch(sizes) {
        const count = elementCount(y.shape, sizes);
        return { workgroups: perElement(count), params: [count] };
      },
    },
  ],
};
