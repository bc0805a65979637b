import { axisSize, type KernelOf, MAX_WORKGROUP, read, write } from '../kernel.ts';
import { shader } from '../shaders.ts';

export const sample: KernelOf<'sample'> = {
  lower: ({ logits, parameters, counts, u }, { token, counts: after }) => [
    {
      shader: shader('sample'),
      constants: { WG: MAX_WORKGROUP },
      bindings: [...[logits, parameters, counts, u].map(read), write(token), write(after)],
      launch(sizes) {
        const rows = axisSize(logits, 0, sizes);
        return { workgroups: rows, params: [rows, axisSize(logits, 1, sizes)] };
      },
    },
  ],
};
