import type { DType } from '@receptance/core';
import { normal, type OpSpec, weight } from '../spec.ts';
import { everyWay, lowRank, matrices, mixLine, shares, vector } from './mixes.ts';
import { nameOf } from './time.ts';

export const timeMix7: readonly OpSpec[] = [
  ...everyWay((lengths, pool) => line(lengths, { H: 2, D: 8, first: false }, pool)),
  ...everyWay((lengths, pool) => line(lengths, { H: 2, D: 4, first: true }, pool)),
  line([3, 2], { H: 3, D: 5, first: false }),
  line([3, 1], { H: 1, D: 64, first: false, dtype: 'bf16' }),
  line([3, 1], { H: 2, D: 32, first: false, dtype: 'q8_0' }),
];

function line(
  lengths: readonly number[],
  { H, D, first, dtype = 'f32' }: { H: number; D: number; first: boolean; dtype?: DType },
  pool?: OpSpec['pool'],
): OpSpec {
  const C = H * D;
  const residual = { vFirst: normal(['N', C]), v0: vector(C), ...lowRank('v', C, 3) };
  const name = nameOf(lengths, `H=${H},D=${D}${first ? ',first layer' : ''},${dtype}`, pool);
  const inputs = {
    s0: normal(['S', H, D, D], 0.5),
    ...shares(['x_r', 'x_w', 'x_k', 'x_v', 'x_a', 'x_g'], C),
    ...matrices(['receptance', 'key', 'value', 'output'], C, dtype),
    ...{ w0: vector(C), ...lowRank('w', C, 5), a0: vector(C), ...lowRank('a', C, 6), ...lowRank('g', C, 7) },
    ...{ k_k: vector(C), k_a: vector(C, 0.5), r_k: weight(normal([H, D], 0.3)) },
    ...{ ln_x_w: vector(C), ln_x_b: vector(C, 0.1) },
    ...(first ? {} : residual),
  };
  return mixLine('timeMix7', name, lengths, C, inputs, { eps: 64e-5 });
}
