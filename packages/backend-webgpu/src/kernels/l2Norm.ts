import { type KernelOf, read, write } from '../kernel.ts';
import { shader } from '../shaders.ts';
import { groupwise } from './_groupwise.ts';

export const l2Norm: KernelOf<'l2Norm'> = {
  lower: ({ x }, { y }, { groups, eps }) => [
    {
      shader: shader('l2Norm'),
      bindings: [read(x), write(y)],
      launch: (sizes) => groupwise(x, groups, eps, sizes),
    },
  ],
};
