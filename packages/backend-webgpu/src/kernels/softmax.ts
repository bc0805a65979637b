import { axisSize, type KernelOf, read, rowCount, write } from '../kernel.ts';
import { shader } from '../shaders.ts';

export const softmax: KernelOf<'softmax'> = {
  lower: ({ x }, { y }) => [
    {
      shader: shader('softmax'),
      bindings: [read(x), write(y)],
      launch(sizes) {
        const rows = rowCount(x, sizes);
        return { workgroups: rows, params: [rows, axisSize(x, -1, sizes)] };
      },
    },
  ],
};
