import type { DType } from '@receptance/core';
import type { OpSpec } from '../spec.ts';
import { BLOCK_LENGTHS, blockLine, hiddenOf } from './blocks.ts';
import { channelMix7Line } from './channelMix7.ts';
import { timeMix7Line } from './timeMix7.ts';

export const block7: readonly OpSpec[] = [
  ...BLOCK_LENGTHS.map(({ lengths, pool }) => line(lengths, { H: 2, D: 8, first: false }, pool)),
  line([2, 3], { H: 2, D: 8, first: true }),
  line([2, 1], { H: 2, D: 4, first: false }),
  line([3, 1], { H: 1, D: 64, first: false, dtype: 'f16' }),
  line([2, 1], { H: 2, D: 32, first: false, dtype: 'q8_0' }),
  line([12], { H: 2, D: 32, first: false, dtype: 'q4_0' }),
  line([2, 1], { H: 3, D: 5, first: false }),
];

interface Sizes {
  readonly H: number;
  readonly D: number;
  readonly first: boolean;
  readonly dtype?: DType;
}

function line(lengths: readonly number[], sizes: Sizes, pool?: OpSpec['pool']): OpSpec {
  const C = sizes.H * sizes.D;
  const timeMix = timeMix7Line(lengths, { ...sizes, ranks: sizes.D === 5 ? [5, 6, 7, 3] : [8, 4, 12, 8] }, pool);
  const made = blockLine('block7', timeMix, channelMix7Line(lengths, C, hiddenOf(C), sizes.dtype));
  return pool === undefined ? made : { ...made, pool };
}
