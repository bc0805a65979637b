import type { KernelTable } from '@receptance/core';
import type { WebGpuKernel } from './kernel.ts';
import { argmax } from './kernels/argmax.ts';
import { binary } from './kernels/binary.ts';
import { broadcast } from './kernels/broadcast.ts';
import { cast } from './kernels/cast.ts';
import { compare } from './kernels/compare.ts';
import { concat } from './kernels/concat.ts';
import { full } from './kernels/full.ts';
import { gather } from './kernels/gather.ts';
import { groupNorm } from './kernels/groupNorm.ts';
import { l2Norm } from './kernels/l2Norm.ts';
import { layerNorm } from './kernels/layerNorm.ts';
import { linear } from './kernels/linear.ts';
import { reduce } from './kernels/reduce.ts';
import { sample } from './kernels/sample.ts';
import { select } from './kernels/select.ts';
import { slice } from './kernels/slice.ts';
import { softmax } from './kernels/softmax.ts';
import { stateRead } from './kernels/stateRead.ts';
import { stateWrite } from './kernels/stateWrite.ts';
import { tokenShift } from './kernels/tokenShift.ts';
import { transpose } from './kernels/transpose.ts';
import { unary } from './kernels/unary.ts';
import { wkv7 } from './kernels/wkv7.ts';

export const kernels: KernelTable<WebGpuKernel> = {
  argmax: [argmax],
  binary: [binary],
  broadcast: [broadcast],
  cast: [cast],
  compare: [compare],
  concat: [concat],
  full: [full],
  gather: [gather],
  groupNorm: [groupNorm],
  l2Norm: [l2Norm],
  layerNorm: [layerNorm],
  linear: [linear],
  reduce: [reduce],
  sample: [sample],
  select: [select],
  slice: [slice],
  softmax: [softmax],
  stateRead: [stateRead],
  stateWrite: [stateWrite],
  tokenShift: [tokenShift],
  transpose: [transpose],
  unary: [unary],
  wkv7: [wkv7],
};
