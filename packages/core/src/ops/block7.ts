import type { OpDefinition } from '../ir/definition.ts';
import { type BlockSignature, blockOf } from './_block.ts';
import { type ChannelMix7Signature, channelMix7 } from './channelMix7.ts';
import { type TimeMix7Signature, timeMix7 } from './timeMix7.ts';

export type Block7Signature = BlockSignature<TimeMix7Signature, ChannelMix7Signature>;

export const block7: OpDefinition<Block7Signature> = blockOf(
  'RWKV-7',
  { op: 'timeMix7', definition: timeMix7 },
  { op: 'channelMix7', definition: channelMix7 },
);
