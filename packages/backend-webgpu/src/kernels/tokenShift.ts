import { type KernelOf, perElement, read, write } from '../kernel.ts';
import { shader } from '../shaders.ts';
import { beginState, channelParams } from './_time.ts';

export const tokenShift: KernelOf<'tokenShift'> = {
  lower: ({ x, prev, starts, slots }, { y, last }) => [
    ...beginState([[prev, last]], slots),
    {
      shader: shader('tokenShift'),
      constants: { POOLED: Number(slots !== undefined) },
      bindings: [read(x), read(starts), read(slots ?? starts), write(last), write(y)],
      launch(sizes) {
        const params = channelParams(x, starts, last, sizes);
        return { workgroups: perElement(params[0] ?? 0), params };
      },
    },
  ],
};
