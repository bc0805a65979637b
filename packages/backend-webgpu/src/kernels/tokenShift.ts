import { axisSize, type KernelOf, perElement, read, write } from '../kernel.ts';
import { shader } from '../shaders.ts';
import { beginState } from './_time.ts';

export const tokenShift: KernelOf<'tokenShift'> = {
  lower: ({ x, prev, starts, slots }, { y, last }) => [
    ...beginState([[prev, last]], slots),
    {
      shader: shader('tokenShift'),
      constants: { POOLED: Number(slots !== undefined) },
      bindings: [read(x), read(starts), read(slots ?? starts), write(last), write(y)],
      launch(sizes) {
        const width = axisSize(x, 1, sizes);
        const count = (axisSize(starts, 0, sizes) - 1) * width;
        return {
          workgroups: perElement(count),
          params: [count, width, axisSize(x, 0, sizes), axisSize(last, 0, sizes)],
        };
      },
    },
  ],
};
