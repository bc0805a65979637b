import type { KernelTable } from '@receptance/core';
import type { OnnxKernel } from './kernel.ts';
import { argmax } from './kernels/argmax.ts';
import { binary } from './kernels/binary.ts';
import { broadcast } from './kernels/broadcast.ts';
import { cast } from './kernels/cast.ts';
import { compare } from './kernels/compare.ts';
import { concat } from './kernels/concat.ts';
import { crossEntropy } from './kernels/crossEntropy.ts';
import { crossEntropyGrad } from './kernels/crossEntropyGrad.ts';
import { full } from './kernels/full.ts';
import { gatedNorm7 } from './kernels/gatedNorm7.ts';
import { gather } from './kernels/gather.ts';
import { groupNorm } from './kernels/groupNorm.ts';
import { l2Norm } from './kernels/l2Norm.ts';
import { layerNorm } from './kernels/layerNorm.ts';
import { linear } from './kernels/linear.ts';
import { lora } from './kernels/lora.ts';
import { matmul } from './kernels/matmul.ts';
import { reduce } from './kernels/reduce.ts';
import { reshape } from './kernels/reshape.ts';
import { sample } from './kernels/sample.ts';
import { scatterAdd } from './kernels/scatterAdd.ts';
import { select } from './kernels/select.ts';
import { shiftMix7 } from './kernels/shiftMix7.ts';
import { slice } from './kernels/slice.ts';
import { softmax } from './kernels/softmax.ts';
import { stateRead } from './kernels/stateRead.ts';
import { stateWrite } from './kernels/stateWrite.ts';
import { tokenShift } from './kernels/tokenShift.ts';
import { tokenShiftGrad } from './kernels/tokenShiftGrad.ts';
import { transpose } from './kernels/transpose.ts';
import { unary } from './kernels/unary.ts';
import { wkv4 } from './kernels/wkv4.ts';
import { wkv4Grad } from './kernels/wkv4Grad.ts';
import { wkv6 } from './kernels/wkv6.ts';
import { wkv6Grad } from './kernels/wkv6Grad.ts';
import { wkv7 } from './kernels/wkv7.ts';
import { wkv7Grad } from './kernels/wkv7Grad.ts';

/** Every primitive, and composites that ONNX has more direct words for. */
export const kernels: KernelTable<OnnxKernel> = {
  argmax: [argmax],
  binary: [binary],
  broadcast: [broadcast],
  cast: [cast],
  compare: [compare],
  concat: [concat],
  crossEntropy: [crossEntropy],
  crossEntropyGrad: [crossEntropyGrad],
  full: [full],
  gatedNorm7: [gatedNorm7],
  gather: [gather],
  groupNorm: [groupNorm],
  l2Norm: [l2Norm],
  layerNorm: [layerNorm],
  linear: [linear],
  lora: [lora],
  matmul: [matmul],
  reduce: [reduce],
  reshape: [reshape],
  sample: [sample],
  scatterAdd: [scatterAdd],
  select: [select],
  shiftMix7: [shiftMix7],
  slice: [slice],
  softmax: [softmax],
  stateRead: [stateRead],
  stateWrite: [stateWrite],
  tokenShift: [tokenShift],
  tokenShiftGrad: [tokenShiftGrad],
  transpose: [transpose],
  unary: [unary],
  wkv4: [wkv4],
  wkv4Grad: [wkv4Grad],
  wkv6: [wkv6],
  wkv6Grad: [wkv6Grad],
  wkv7: [wkv7],
  wkv7Grad: [wkv7Grad],
};
