import type { DType } from '@receptance/core';
import type { OpSpec } from '../spec.ts';
import { BLOCK_LENGTHS, blockLine, hiddenOf } from './blocks.ts';
import { channelMix4Line } from './channelMix4.ts';
import { timeMix4Line } from './timeMix4.ts';

export const block4: readonly OpSpec[] = [
  ...BLOCK_LENGTHS.map(({ lengths, pool }) => line(lengths, 12, 'f32', pool)),
  line([2, 1], 8),
  line([3, 1], 64, 'f16'),
  line([2, 1], 10),
];

function line(lengths: readonly number[], C: number, dtype: DType = 'f32', pool?: OpSpec['pool']): OpSpec {
  const channelMix = channelMix4Line(lengths, C, hiddenOf(C), 'present', dtype);
  const made = blockLine('block4', timeMix4Line(lengths, C, dtype, pool), channelMix);
  return pool === undefined ? made : { ...made, pool };
}
