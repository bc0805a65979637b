import type { DType } from '@receptance/core';
import { normal, type OpSpec, uniform, weight } from '../spec.ts';
import { everyWay, matrices, mixLine, shares, vector } from './mixes.ts';
import { nameOf } from './time.ts';

export const timeMix4: readonly OpSpec[] = [
  ...everyWay((lengths, pool) => timeMix4Line(lengths, 10, 'f32', pool)),
  timeMix4Line([3, 2], 33),
  timeMix4Line([3, 1], 32, 'q8_0'),
];

export function timeMix4Line(
  lengths: readonly number[],
  C: number,
  dtype: DType = 'f32',
  pool?: OpSpec['pool'],
): OpSpec {
  return mixLine('timeMix4', nameOf(lengths, `C=${C},${dtype}`, pool), lengths, C, {
    ...{ aa0: normal(['S', C]), bb0: uniform(['S', C], 0.5, 3), pp0: normal(['S', C]) },
    ...shares(['mix_k', 'mix_v', 'mix_r'], C),
    ...{ w: weight(uniform([C], -3, -0.01)), u: vector(C) },
    ...matrices(['key', 'value', 'receptance', 'output'], C, dtype),
  });
}
