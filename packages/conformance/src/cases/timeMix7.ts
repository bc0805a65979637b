import type { DType } from '@receptance/core';
import { normal, type OpSpec, weight } from '../spec.ts';
import { everyWay, lowRank, matrices, mixLine, shares, vector } from './mixes.ts';
import { nameOf } from './time.ts';

export const timeMix7: readonly OpSpec[] = [
  ...everyWay((lengths, pool) => timeMix7Line(lengths, { H: 2, D: 8, first: false }, pool)),
  ...everyWay((lengths, pool) => timeMix7Line(lengths, { H: 2, D: 4, first: true }, pool)),
  timeMix7Line([3, 2], { H: 3, D: 5, first: false }),
  timeMix7Line([3, 1], { H: 1, D: 64, first: false, dtype: 'bf16' }),
  timeMix7Line([3, 1], { H: 2, D: 32, first: false, dtype: 'q8_0' }),
];

interface Sizes {
  readonly H: number;
  readonly D: number;
  readonly first: boolean;
  readonly dtype?: DType;
  /** Of the low-rank projections of decay, learning rate, gate and value. */
  readonly ranks?: readonly number[];
}

export function timeMix7Line(
  lengths: readonly number[],
  { H, D, first, dtype = 'f32', ranks = [5, 6, 7, 3] }: Sizes,
  pool?: OpSpec['pool'],
): OpSpec {
  const C = H * D;
  const [w = 1, a = 1, g = 1, v = 1] = ranks;
  const residual = { vFirst: normal(['N', C]), v0: vector(C), ...lowRank('v', C, v) };
  const name = nameOf(lengths, `H=${H},D=${D}${first ? ',first layer' : ''},${dtype}`, pool);
  const inputs = {
    s0: normal(['S', H, D, D], 0.5),
    ...shares(['x_r', 'x_w', 'x_k', 'x_v', 'x_a', 'x_g'], C),
    ...matrices(['receptance', 'key', 'value', 'output'], C, dtype),
    ...{ w0: vector(C), ...lowRank('w', C, w), a0: vector(C), ...lowRank('a', C, a), ...lowRank('g', C, g) },
    ...{ k_k: vector(C), k_a: vector(C, 0.5), r_k: weight(normal([H, D], 0.3)) },
    ...{ ln_x_w: vector(C), ln_x_b: vector(C, 0.1) },
    ...(first ? {} : residual),
  };
  return mixLine('timeMix7', name, lengths, C, inputs, { eps: 64e-5 });
}
