import type { DType } from '@receptance/core';
import type { OpSpec } from '../spec.ts';
import { BLOCK_LENGTHS, blockLine, hiddenOf } from './blocks.ts';
import { channelMix4Line } from './channelMix4.ts';
import { timeMix5Line } from './timeMix5.ts';

export const block5: readonly OpSpec[] = [
  ...BLOCK_LENGTHS.map(({ lengths, pool }) => line(lengths, { H: 2, D: 8, gate: true }, pool)),
  line([2, 3], { H: 2, D: 8, gate: false }),
  line([2, 1], { H: 2, D: 4, gate: true }),
  line([3, 1], { H: 1, D: 64, gate: true, dtype: 'f16' }),
  line([2, 1], { H: 3, D: 5, gate: true }),
];

function line(
  lengths: readonly number[],
  sizes: { readonly H: number; readonly D: number; readonly gate: boolean; readonly dtype?: DType },
  pool?: OpSpec['pool'],
): OpSpec {
  const C = sizes.H * sizes.D;
  const channelMix = channelMix4Line(lengths, C, hiddenOf(C), 'present', sizes.dtype);
  const made = blockLine('block5', timeMix5Line(lengths, sizes, pool), channelMix);
  return pool === undefined ? made : { ...made, pool };
}
