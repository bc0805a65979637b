import type { DType } from '@receptance/core';
import { normal, type OpSpec, uniform, weight } from '../spec.ts';
import { everyWay, matrices, mixLine, shares, vector } from './mixes.ts';
import { nameOf } from './time.ts';

export const timeMix5: readonly OpSpec[] = [
  ...everyWay((lengths, pool) => timeMix5Line(lengths, { H: 2, D: 8, gate: true }, pool)),
  ...everyWay((lengths, pool) => timeMix5Line(lengths, { H: 2, D: 4, gate: false }, pool)),
  timeMix5Line([3, 2], { H: 3, D: 5, gate: true }),
  timeMix5Line([3, 1], { H: 2, D: 32, gate: true, dtype: 'q8_0' }),
];

export function timeMix5Line(
  lengths: readonly number[],
  { H, D, gate, dtype = 'f32' }: { H: number; D: number; gate: boolean; dtype?: DType },
  pool?: OpSpec['pool'],
): OpSpec {
  const C = H * D;
  const name = nameOf(lengths, `H=${H},D=${D}${gate ? '' : ',no gate'},${dtype}`, pool);
  const gated = { ...shares(['mix_g'], C), ...matrices(['gate'], C, dtype) };
  const inputs = {
    s0: normal(['S', H, D, D], 0.5),
    ...shares(['mix_k', 'mix_v', 'mix_r'], C),
    ...{ lw: weight(uniform([H, D], -3, -0.001)), u: weight(normal([H, D])) },
    ...matrices(['receptance', 'key', 'value', 'output'], C, dtype),
    ...{ ln_x_w: vector(C), ln_x_b: vector(C, 0.1) },
    ...(gate ? gated : {}),
  };
  return mixLine('timeMix5', name, lengths, C, inputs, { eps: 64e-5 });
}
