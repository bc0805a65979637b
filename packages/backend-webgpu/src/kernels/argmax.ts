import { axisSize, type KernelOf, read, write } from '../kernel.ts';
import { shader } from '../shaders.ts';

export const argmax: KernelOf<'argmax'> = {
  lower: ({ x }, { y }) => [
    {
      shader: shader('argmax'),
      bindings: [read(x), write(y)],
      launch(sizes) {
        const rows = axisSize(x, 0, sizes);
        return { workgroups: rows, params: [rows, axisSize(x, 1, sizes)] };
      },
    },
  ],
};
