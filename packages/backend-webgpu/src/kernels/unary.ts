import { elementCount, type UnaryFn } from '@receptance/core';
import { type KernelOf, perElement, read, write } from '../kernel.ts';
import { shader } from '../shaders.ts';

const FN: Readonly<Record<UnaryFn, number>> = {
  neg: 0,
  abs: 1,
  exp: 2,
  log: 3,
  sqrt: 4,
  reciprocal: 5,
  sigmoid: 6,
  tanh: 7,
  relu: 8,
};

export const unary: KernelOf<'unary'> = {
  lower: ({ x }, { y }, { fn }) => [
    {
      shader: shader('unary'),
      constants: { FN: FN[fn] },
      bindings: [read(x), write(y)],
      launch(sizes) {
        const count = elementCount(y.shape, sizes);
        return { workgroups: perElement(count), params: [count] };
      },
    },
  ],
};
