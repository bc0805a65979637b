import type { DType } from '@receptance/core';
import type { OpSpec } from '../spec.ts';
import { BLOCK_LENGTHS, blockLine, hiddenOf } from './blocks.ts';
import { channelMix4Line } from './channelMix4.ts';
import { timeMix6Line } from './timeMix6.ts';

export const block6: readonly OpSpec[] = [
  ...BLOCK_LENGTHS.map(({ lengths, pool }) => line(lengths, { H: 2, D: 8 }, pool)),
  line([2, 1], { H: 2, D: 4 }),
  line([3, 1], { H: 1, D: 64, dtype: 'f16' }),
  line([2, 1], { H: 3, D: 5 }),
];

function line(
  lengths: readonly number[],
  sizes: { readonly H: number; readonly D: number; readonly dtype?: DType },
  pool?: OpSpec['pool'],
): OpSpec {
  const C = sizes.H * sizes.D;
  const timeMix = timeMix6Line(lengths, { ...sizes, rank: sizes.D === 5 ? 6 : 8 }, pool);
  const made = blockLine('block6', timeMix, channelMix4Line(lengths, C, hiddenOf(C), 'previous', sizes.dtype));
  return pool === undefined ? made : { ...made, pool };
}
