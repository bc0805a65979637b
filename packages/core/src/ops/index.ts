import type { OpDefinition, Signature } from '../ir/definition.ts';
import { badOp } from '../ir/patterns.ts';
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
import { input } from './input.ts';
import { l2Norm } from './l2Norm.ts';
import { layerNorm } from './layerNorm.ts';
import { lerp } from './lerp.ts';
import { linear } from './linear.ts';
import { lora } from './lora.ts';
import { matmul } from './matmul.ts';
import { parameter } from './parameter.ts';
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
import { stateWrite } from './stateWrite.ts';
import { timeMix4 } from './timeMix4.ts';
import { timeMix5 } from './timeMix5.ts';
import { timeMix6 } from './timeMix6.ts';
import { timeMix7 } from './timeMix7.ts';
import { tokenShift } from './tokenShift.ts';
import { tokenShiftGrad } from './tokenShiftGrad.ts';
import { transpose } from './transpose.ts';
import { unary } from './unary.ts';
import { variable } from './variable.ts';
import { wkv4 } from './wkv4.ts';
import { wkv4Grad } from './wkv4Grad.ts';
import { wkv6 } from './wkv6.ts';
import { wkv6Grad } from './wkv6Grad.ts';
import { wkv7 } from './wkv7.ts';
import { wkv7Grad } from './wkv7Grad.ts';

/** Every op by its name: one file each in this folder. Closed: a backend adds kernels, never ops. */
export interface Ops {
  readonly input: typeof input;
  readonly parameter: typeof parameter;
  readonly variable: typeof variable;
  readonly constant: typeof constant;
  readonly full: typeof full;
  readonly unary: typeof unary;
  readonly binary: typeof binary;
  readonly compare: typeof compare;
  readonly select: typeof select;
  readonly cast: typeof cast;
  readonly reduce: typeof reduce;
  readonly reshape: typeof reshape;
  readonly transpose: typeof transpose;
  readonly slice: typeof slice;
  readonly concat: typeof concat;
  readonly broadcast: typeof broadcast;
  readonly gather: typeof gather;
  readonly scatterAdd: typeof scatterAdd;
  readonly linear: typeof linear;
  readonly matmul: typeof matmul;
  readonly softmax: typeof softmax;
  readonly layerNorm: typeof layerNorm;
  readonly groupNorm: typeof groupNorm;
  readonly l2Norm: typeof l2Norm;
  readonly tokenShift: typeof tokenShift;
  readonly tokenShiftGrad: typeof tokenShiftGrad;
  readonly wkv4: typeof wkv4;
  readonly wkv4Grad: typeof wkv4Grad;
  readonly wkv6: typeof wkv6;
  readonly wkv6Grad: typeof wkv6Grad;
  readonly wkv7: typeof wkv7;
  readonly wkv7Grad: typeof wkv7Grad;
  readonly stateRead: typeof stateRead;
  readonly stateWrite: typeof stateWrite;
  readonly crossEntropy: typeof crossEntropy;
  readonly crossEntropyGrad: typeof crossEntropyGrad;
  readonly argmax: typeof argmax;
  readonly sample: typeof sample;
  readonly groupNormGrad: typeof groupNormGrad;
  readonly lerp: typeof lerp;
  readonly lora: typeof lora;
  readonly silu: typeof silu;
  readonly shiftMix6: typeof shiftMix6;
  readonly timeMix4: typeof timeMix4;
  readonly timeMix5: typeof timeMix5;
  readonly timeMix6: typeof timeMix6;
  readonly channelMix4: typeof channelMix4;
  readonly reluSquared: typeof reluSquared;
  readonly shiftMix7: typeof shiftMix7;
  readonly gatedNorm7: typeof gatedNorm7;
  readonly timeMix7: typeof timeMix7;
  readonly channelMix7: typeof channelMix7;
  readonly block4: typeof block4;
  readonly block5: typeof block5;
  readonly block6: typeof block6;
  readonly block7: typeof block7;
}

export const ops: Ops = {
  input,
  parameter,
  variable,
  constant,
  full,
  unary,
  binary,
  compare,
  select,
  cast,
  reduce,
  reshape,
  transpose,
  slice,
  concat,
  broadcast,
  gather,
  scatterAdd,
  linear,
  matmul,
  softmax,
  layerNorm,
  groupNorm,
  l2Norm,
  tokenShift,
  tokenShiftGrad,
  wkv4,
  wkv4Grad,
  wkv6,
  wkv6Grad,
  wkv7,
  wkv7Grad,
  stateRead,
  stateWrite,
  crossEntropy,
  crossEntropyGrad,
  argmax,
  sample,
  groupNormGrad,
  lerp,
  lora,
  silu,
  shiftMix6,
  timeMix4,
  timeMix5,
  timeMix6,
  channelMix4,
  reluSquared,
  shiftMix7,
  gatedNorm7,
  timeMix7,
  channelMix7,
  block4,
  block5,
  block6,
  block7,
};

export type OpName = keyof Ops;
/** The signature of an op, by its name. */
export type SignatureOf<Op extends OpName> = Ops[Op] extends OpDefinition<infer S extends Signature> ? S : never;

/** The definition of an op known only at run time. @throws ReceptanceError `BAD_OP` when there is none. */
export function definitionOf(op: string): OpDefinition {
  const definition: OpDefinition | undefined = Object.hasOwn(ops, op) ? ops[op as OpName] : undefined;
  if (definition === undefined) throw badOp(`${op} is not an op`, 'the ops are the files of packages/core/src/ops');
  return definition;
}
