import type { OpSpec } from '../spec.ts';
import { argmax } from './argmax.ts';
import { binary } from './binary.ts';
import { block4 } from './block4.ts';
import { block5 } from './block5.ts';
import { block6 } from './block6.ts';
import { block7 } from './block7.ts';
import { broadcast } from './broadcast.ts';
import { cast } from './cast.ts';
import { channelMix4 } from './channelMix4.ts';
import { channelMix7 } from './channelMix7.ts';
import { compare } from './compare.ts';
import { concat } from './concat.ts';
import { constant } from './constant.ts';
import { crossEntropy } from './crossEntropy.ts';
import { crossEntropyGrad } from './crossEntropyGrad.ts';
import { full } from './full.ts';
import { gatedNorm7 } from './gatedNorm7.ts';
import { gather } from './gather.ts';
import { groupNorm } from './groupNorm.ts';
import { groupNormGrad } from './groupNormGrad.ts';
import { l2Norm } from './l2Norm.ts';
import { layerNorm } from './layerNorm.ts';
import { lerp } from './lerp.ts';
import { linear } from './linear.ts';
import { lora } from './lora.ts';
import { matmul } from './matmul.ts';
import { reduce } from './reduce.ts';
import { reluSquared } from './reluSquared.ts';
import { reshape } from './reshape.ts';
import { sample } from './sample.ts';
import { scatterAdd } from './scatterAdd.ts';
import { select } from './select.ts';
import { shiftMix6 } from './shiftMix6.ts';
import { shiftMix7 } from './shiftMix7.ts';
import { silu } from './silu.ts';
import { slice } from './slice.ts';
import { softmax } from './softmax.ts';
import { stateRead } from './stateRead.ts';
import { timeMix4 } from './timeMix4.ts';
import { timeMix5 } from './timeMix5.ts';
import { timeMix6 } from './timeMix6.ts';
import { timeMix7 } from './timeMix7.ts';
import { tokenShift } from './tokenShift.ts';
import { tokenShiftGrad } from './tokenShiftGrad.ts';
import { transpose } from './transpose.ts';
import { unary } from './unary.ts';
import { wkv4 } from './wkv4.ts';
import { wkv4Grad } from './wkv4Grad.ts';
import { wkv6 } from './wkv6.ts';
import { wkv6Grad } from './wkv6Grad.ts';
import { wkv7 } from './wkv7.ts';
import { wkv7Grad } from './wkv7Grad.ts';

/** The tables of all ops, primitives first. */
export const specs: readonly OpSpec[] = [
  ...[...unary, ...binary, ...compare, ...select, ...cast, ...reduce, ...reshape, ...transpose, ...slice, ...concat],
  ...[...broadcast, ...full, ...constant, ...gather, ...scatterAdd, ...linear, ...matmul],
  ...[
    ...softmax,
    ...layerNorm,
    ...groupNorm,
    ...groupNormGrad,
    ...l2Norm,
    ...crossEntropy,
    ...crossEntropyGrad,
    ...argmax,
    ...sample,
  ],
  ...[...tokenShift, ...tokenShiftGrad, ...wkv4, ...wkv4Grad, ...wkv6, ...wkv6Grad, ...wkv7, ...wkv7Grad, ...stateRead],
  ...[...lerp, ...lora, ...reluSquared, ...silu, ...shiftMix6, ...shiftMix7, ...gatedNorm7],
  ...[...channelMix4, ...channelMix7, ...timeMix4, ...timeMix5, ...timeMix6, ...timeMix7],
  ...[...block4, ...block5, ...block6, ...block7],
];
