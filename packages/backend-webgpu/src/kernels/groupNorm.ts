import { type KernelOf, read, write } from '../kernel.ts';
import { shader } from '../shaders.ts';
import { groupwise } from './_groupwise.ts';

export const groupNorm: KernelOf<'groupNorm'> = {
  lower: ({ x, w, b }, { y }, { groups, eps }) => [
    {
      shader: shader('groupNorm'),
      bindings: [read(x), read(w), read(b), write(y)],
      launch: (sizes) => groupwise(x, groups, eps, sizes),
    },
  ],
};
