import { axisSize, type KernelOf, read, write } from '../kernel.ts';
import { shader } from '../shaders.ts';

export const crossEntropy: KernelOf<'crossEntropy'> = {
  lower: ({ logits, targets }, { y }) => [
    {
      shader: shader('crossEntropy'),
      bindings: [read(logits), read(targets), write(y)],
      launch(sizes) {
        const rows = axisSize(logits, 0, sizes);
        return { workgroups: rows, params: [rows, axisSize(logits, 1, sizes)] };
      },
    },
  ],
};
