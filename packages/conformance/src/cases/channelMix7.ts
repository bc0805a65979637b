import type { DType } from '@receptance/core';
import type { OpSpec } from '../spec.ts';
import { everyWay, matrix, mixLine, shares } from './mixes.ts';
import { nameOf } from './time.ts';

export const channelMix7: readonly OpSpec[] = [
  ...everyWay((lengths, pool) => channelMix7Line(lengths, 10, 14, 'f32', pool)),
  channelMix7Line([2, 1], 33, 20),
  channelMix7Line([2, 1], 32, 64, 'q8_0'),
  channelMix7Line([4], 32, 64, 'f16'),
];

export function channelMix7Line(
  lengths: readonly number[],
  C: number,
  F: number,
  dtype: DType = 'f32',
  pool?: OpSpec['pool'],
): OpSpec {
  const inputs = { ...shares(['x_k'], C), key: matrix(F, C, dtype), value: matrix(C, F, dtype) };
  return mixLine('channelMix7', nameOf(lengths, `C=${C},F=${F},${dtype}`, pool), lengths, C, inputs);
}
