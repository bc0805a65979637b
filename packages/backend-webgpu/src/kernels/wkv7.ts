import { axisSize, type KernelOf, read, write } from '../kernel.ts';
import { shader } from '../shaders.ts';
import { pack } from './_packing.ts';
import { beginState, headParams, narrowHeads } from './_time.ts';

export const wkv7: KernelOf<'wkv7'> = {
  accepts: narrowHeads,
  lower({ r, lw, k, v, a, b, s0, starts, slots }, { y, s }) {
    const packed = pack([a, b, starts, slots ?? starts]);
    return [
      ...beginState([[s0, s]], slots),
      ...packed.programs,
      {
        shader: shader('wkv7'),
        constants: { D: axisSize(k, 2, {}), POOLED: Number(slots !== undefined) },
        bindings: [...[r, lw, k, v, packed.scratch].map(read), write(s), write(y)],
        launch(sizes) {
          const params = headParams(k, starts, s, sizes);
          return { workgroups: params[0] ?? 0, params: [...params, ...packed.offsets(sizes).slice(1)] };
        },
      },
    ];
  },
};
