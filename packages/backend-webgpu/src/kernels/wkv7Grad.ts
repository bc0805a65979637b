import { axisSize, type KernelOf, read, type Scratch, write } from '../kernel.ts';
import { shader } from '../shaders.ts';
import { endOf, pack, unpack } from './_packing.ts';
import { headParams, keptStates, narrowHeads } from './_time.ts';

export const wkv7Grad: KernelOf<'wkv7Grad'> = {
  accepts: narrowHeads,
  lower({ r, lw, k, v, a, b, s0, starts, gy, gs }, { gr, glw, gk, gv, ga, gb, gs0 }) {
    const packed = pack([r, lw, k, v, a, b, s0, starts, gy, gs]);
    const made = [gr, glw, gk, gv, ga, gb, gs0];
    const states: Scratch = { scratch: 1, elements: (sizes) => keptStates(k, starts, sizes).all };
    const grads: Scratch = { scratch: 2, elements: (sizes) => endOf(made, sizes) };
    return [
      ...packed.programs,
      {
        shader: shader('wkv7Grad'),
        constants: { D: axisSize(k, 2, {}) },
        bindings: [read(packed.scratch), write(states), write(grads)],
        launch(sizes) {
          const params = headParams(k, starts, s0, sizes);
          const rest = [...packed.offsets(sizes), keptStates(k, starts, sizes).kept];
          return { workgroups: params[0] ?? 0, params: [...params, ...rest] };
        },
      },
      ...unpack(grads, made),
    ];
  },
};
