import { type KernelOf, perElement, read, type Scratch, write } from '../kernel.ts';
import { shader } from '../shaders.ts';
import { endOf, pack, sumSequences, unpack } from './_packing.ts';
import { channelParams } from './_time.ts';

export const wkv4Grad: KernelOf<'wkv4Grad'> = {
  lower({ w, u, k, v, aa0, bb0, pp0, starts, gy, gaa, gbb, gpp }, { gw, gu, gk, gv, gaa0, gbb0, gpp0 }) {
    const packed = pack([w, u, k, v, aa0, bb0, pp0, starts, gy, gaa, gbb, gpp]);
    const made = [gk, gv, gaa0, gbb0, gpp0];
    const states: Scratch = { scratch: 1, elements: (sizes) => 3 * endOf([k], sizes) };
    const grads: Scratch = { scratch: 2, elements: (sizes) => endOf([...made, aa0, aa0], sizes) };
    return [
      ...packed.programs,
      {
        shader: shader('wkv4Grad'),
        bindings: [read(packed.scratch), write(states), write(grads)],
        launch(sizes) {
          const params = channelParams(k, starts, aa0, sizes);
          return { workgroups: perElement(params[0] ?? 0), params: [...params, ...packed.offsets(sizes)] };
        },
      },
      ...unpack(grads, made),
      sumSequences(grads, (sizes) => endOf(made, sizes), aa0, gw),
      sumSequences(grads, (sizes) => endOf([...made, aa0], sizes), aa0, gu),
    ];
  },
};
