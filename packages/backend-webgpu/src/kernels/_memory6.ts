import type { Sizes, Value } from '@receptance/core';
import { axisSize, floatBits, type Program, read, type Scratch, write } from '../kernel.ts';
import { shader } from '../shaders.ts';
import type { Block } from './_block.ts';

/** The memory of RWKV-5 and 6 with the norm and the gate behind it. */
export interface Memory6 {
  readonly eps: number;
  readonly streams: Scratch;
  readonly projected: Scratch;
  readonly state: Value;
  /** Whether the decay is a stream, the first; else it is among the vectors, as `att_lw`. */
  readonly perToken: boolean;
  readonly gated: boolean;
  /** Which stream the answer takes the place of. */
  readonly out: number;
}

/** Projected are r, k, v and, where it is gated, g. */
export function memory6(block: Block, half: Memory6): Program {
  const { starts, slots, vectors, width, tokens } = block;
  const { state, streams, projected, perToken, gated } = half;
  const size = axisSize(state, -1, {});
  const flags = { POOLED: slots !== undefined, PER_TOKEN: perToken, GATED: gated };
  const bits = Object.fromEntries(Object.entries(flags).map(([name, flag]) => [name, Number(flag)]));
  const stored = ['u', 'ln_x_w', 'ln_x_b'].map((name) => vectors.at(`att_${name}`));
  return {
    shader: shader('_memory6'),
    constants: { D: size, WG: size, ...bits },
    bindings: [
      ...[read(projected), write(streams), read(vectors.operand), read(starts), read(slots ?? starts)],
      write(state),
    ],
    launch(sizes: Sizes) {
      const heads = width / size;
      const count = (axisSize(starts, 0, sizes) - 1) * heads;
      const area = tokens(sizes) * width;
      const decay = perToken ? 0 : vectors.at('att_lw');
      const places = [0, 1, 2, 3, half.out].map((i) => i * area);
      const sizesOf = [count, heads, tokens(sizes), axisSize(state, 0, sizes), floatBits(half.eps)];
      return { workgroups: count, params: [...sizesOf, ...stored, decay, ...places] };
    },
  };
}
