import { type KernelOf, perElement, read, write } from '../kernel.ts';
import { shader } from '../shaders.ts';
import { pack } from './_packing.ts';
import { beginState, channelParams } from './_time.ts';

export const wkv4: KernelOf<'wkv4'> = {
  lower({ w, u, k, v, aa0, bb0, pp0, starts, slots }, { y, aa, bb, pp }) {
    const packed = pack([w, u, starts, slots ?? starts]);
    const states = [
      [aa0, aa],
      [bb0, bb],
      [pp0, pp],
    ] as const;
    return [
      ...beginState(states, slots),
      ...packed.programs,
      {
        shader: shader('wkv4'),
        constants: { POOLED: Number(slots !== undefined) },
        bindings: [...[k, v, packed.scratch].map(read), ...[aa, bb, pp, y].map(write)],
        launch(sizes) {
          const params = channelParams(k, starts, aa, sizes);
          return { workgroups: perElement(params[0] ?? 0), params: [...params, ...packed.offsets(sizes).slice(1)] };
        },
      },
    ];
  },
};
