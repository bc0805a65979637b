import type { DType } from '@receptance/core';
import { normal, type OpSpec, uniform, weight } from '../spec.ts';
import { everyWay, lowRank, matrices, mixLine, shares, vector } from './mixes.ts';
import { nameOf } from './time.ts';

export const timeMix6: readonly OpSpec[] = [
  ...everyWay((lengths, pool) => timeMix6Line(lengths, { H: 2, D: 8 }, pool)),
  timeMix6Line([3, 2], { H: 3, D: 5 }),
  timeMix6Line([3, 1], { H: 2, D: 32, dtype: 'q8_0' }),
];

export function timeMix6Line(
  lengths: readonly number[],
  { H, D, dtype = 'f32', rank = 6 }: { H: number; D: number; dtype?: DType; rank?: number },
  pool?: OpSpec['pool'],
): OpSpec {
  const C = H * D;
  const inputs = {
    s0: normal(['S', H, D, D], 0.5),
    ...shares(['maa_x', 'maa_w', 'maa_k', 'maa_v', 'maa_r', 'maa_g'], C),
    ...{ maa_w1: weight(normal([C, 15], 0.3)), maa_w2: weight(normal([5, 3, C], 0.5)) },
    ...{ decay: weight(uniform([C], -5, 1)), ...lowRank('decay_w', C, rank), u: weight(normal([H, D])) },
    ...matrices(['receptance', 'key', 'value', 'gate', 'output'], C, dtype),
    ...{ ln_x_w: vector(C), ln_x_b: vector(C, 0.1) },
  };
  return mixLine('timeMix6', nameOf(lengths, `H=${H},D=${D},${dtype}`, pool), lengths, C, inputs, { eps: 64e-5 });
}
