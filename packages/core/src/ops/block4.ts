import type { OpDefinition } from '../ir/definition.ts';
import { type BlockSignature, blockOf } from './_block.ts';
import { type ChannelMix4Signature, channelMix4 } from './channelMix4.ts';
import { type TimeMix4Signature, timeMix4 } from './timeMix4.ts';

export type Block4Signature = BlockSignature<TimeMix4Signature, ChannelMix4Signature>;

export const block4: OpDefinition<Block4Signature> = blockOf(
  'RWKV-4',
  { op: 'timeMix4', definition: timeMix4 },
  { op: 'channelMix4', definition: channelMix4 },
);
