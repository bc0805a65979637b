import type { OpDefinition } from '../ir/definition.ts';
import { type BlockSignature, blockOf } from './_block.ts';
import { type ChannelMix4Signature, channelMix4 } from './channelMix4.ts';
import { type TimeMix5Signature, timeMix5 } from './timeMix5.ts';

export type Block5Signature = BlockSignature<TimeMix5Signature, ChannelMix4Signature>;

export const block5: OpDefinition<Block5Signature> = blockOf(
  'RWKV-5',
  { op: 'timeMix5', definition: timeMix5 },
  { op: 'channelMix4', definition: channelMix4 },
);
