import { axisSize, type KernelOf, read, type Scratch, write } from '../kernel.ts';
import { shader } from '../shaders.ts';
import { endOf, pack, sumSequences, unpack } from './_packing.ts';
import { headParams, keptStates, narrowHeads } from './_time.ts';

export const wkv6Grad: KernelOf<'wkv6Grad'> = {
  accepts: narrowHeads,
  lower({ r, lw, k, v, u, s0, starts, gy, gs }, { gr, glw, gk, gv, gu, gs0 }) {
    const packed = pack([r, lw, k, v, u, s0, starts, gy, gs]);
    const made = [gr, glw, gk, gv, gs0];
    const states: Scratch = { scratch: 1, elements: (sizes) => keptStates(k, starts, sizes).all };
    const grads: Scratch = {
      scratch: 2,
      elements: (sizes) => endOf(made, sizes) + axisSize(s0, 0, sizes) * endOf([gu], sizes),
    };
    return [
      ...packed.programs,
      {
        shader: shader('wkv6Grad'),
        constants: { D: axisSize(k, 2, {}), PER_TOKEN: Number(lw.shape.length === 3) },
        bindings: [read(packed.scratch), write(states), write(grads)],
        launch(sizes) {
          const params = headParams(k, starts, s0, sizes);
          const rest = [...packed.offsets(sizes), keptStates(k, starts, sizes).kept];
          return { workgroups: params[0] ?? 0, params: [...params, ...rest] };
        },
      },
      ...unpack(grads, made),
      sumSequences(grads, (sizes) => endOf(made, sizes), s0, gu),
    ];
  },
};
