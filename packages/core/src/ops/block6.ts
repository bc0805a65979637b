import type { OpDefinition } from '../ir/definition.ts';
import { type BlockSignature, blockOf } from './_block.ts';
import { type ChannelMix4Signature, channelMix4 } from './channelMix4.ts';
import { type TimeMix6Signature, timeMix6 } from './timeMix6.ts';

export type Block6Signature = BlockSignature<TimeMix6Signature, ChannelMix4Signature>;

export const block6: OpDefinition<Block6Signature> = blockOf(
  'RWKV-6',
  { op: 'timeMix6', definition: timeMix6 },
  { op: 'channelMix4', definition: channelMix4 },
);
