import type { DType } from '@receptance/core';
import type { OpSpec } from '../spec.ts';
import { everyWay, matrix, mixLine, shares } from './mixes.ts';
import { nameOf } from './time.ts';

export const channelMix4: readonly OpSpec[] = [
  ...everyWay((lengths, pool) => channelMix4Line(lengths, 10, 14, 'present', 'f32', pool)),
  ...everyWay((lengths, pool) => channelMix4Line(lengths, 10, 14, 'previous', 'f32', pool)),
  channelMix4Line([2, 1], 33, 20, 'present'),
  channelMix4Line([2, 1], 32, 64, 'present', 'q8_0'),
];

export function channelMix4Line(
  lengths: readonly number[],
  C: number,
  F: number,
  mixOf: 'present' | 'previous',
  dtype: DType = 'f32',
  pool?: OpSpec['pool'],
): OpSpec {
  const name = nameOf(lengths, `C=${C},F=${F},${mixOf},${dtype}`, pool);
  const weights = { key: matrix(F, C, dtype), receptance: matrix(C, C, dtype), value: matrix(C, F, dtype) };
  return mixLine('channelMix4', name, lengths, C, { ...shares(['mix_k', 'mix_r'], C), ...weights }, { mixOf });
}
