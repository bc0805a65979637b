import { type KernelOf, perElement, read, write } from '../kernel.ts';
import { shader } from '../shaders.ts';
import { channelParams } from './_time.ts';

export const tokenShiftGrad: KernelOf<'tokenShiftGrad'> = {
  lower: ({ starts, gy, glast }, { gx, gprev }) => [
    {
      shader: shader('tokenShiftGrad'),
      bindings: [read(starts), read(gy), read(glast), write(gx), write(gprev)],
      launch(sizes) {
        const params = channelParams(gy, starts, glast, sizes);
        return { workgroups: perElement(params[0] ?? 0), params };
      },
    },
  ],
};
