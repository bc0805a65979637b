import { type KernelOf, read, write } from '../kernel.ts';
import { shader } from '../shaders.ts';
import { groupwise } from './_groupwise.ts';

/** One group as wide as the row. */
export const layerNorm: KernelOf<'layerNorm'> = {
  lower: ({ x, w, b }, { y }, { eps }) => [
    {
      shader: shader('groupNorm'),
      bindings: [read(x), read(w), read(b), write(y)],
      launch: (sizes) => groupwise(x, 1, eps, sizes),
    },
  ],
};
