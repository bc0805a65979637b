import { axisSize, type KernelOf, read, write } from '../kernel.ts';
import { shader } from '../shaders.ts';
import { pack } from './_packing.ts';
import { beginState, headParams, narrowHeads } from './_time.ts';

export const wkv6: KernelOf<'wkv6'> = {
  accepts: narrowHeads,
  lower({ r, lw, k, v, u, s0, starts, slots }, { y, s }) {
    const packed = pack([u, starts, slots ?? starts]);
    const flags = { POOLED: Number(slots !== undefined), PER_TOKEN: Number(lw.shape.length === 3) };
    return [
      ...beginState([[s0, s]], slots),
      ...packed.programs,
      {
        shader: shader('wkv6'),
        constants: { D: axisSize(k, 2, {}), ...flags },
        bindings: [...[r, lw, k, v, packed.scratch].map(read), write(s), write(y)],
        launch(sizes) {
          const params = headParams(k, starts, s, sizes);
          return { workgroups: params[0] ?? 0, params: [...params, ...packed.offsets(sizes).slice(1)] };
        },
      },
    ];
  },
};
