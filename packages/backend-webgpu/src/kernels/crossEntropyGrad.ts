import { axisSize, type KernelOf, read, write } from '../kernel.ts';
import { shader } from '../shaders.ts';

export const crossEntropyGrad: KernelOf<'crossEntropyGrad'> = {
  lower: ({ logits, targets, gy }, { glogits }) => [
    {
      shader: shader('crossEntropyGrad'),
      bindings: [read(logits), read(targets), read(gy), write(glogits)],
      launch(sizes) {
        const rows = axisSize(logits, 0, sizes);
        return { workgroups: rows, params: [rows, axisSize(logits, 1, sizes)] };
      },
    },
  ],
};
