import type { TensorInfo } from '../weights/weights.ts';
import type { LanguageModel } from './language-model.ts';
import { type HalfBlock, type HalfInputs, matrixState, rwkvModel } from './rwkv.ts';
import type { ModelOptions } from './rwkv7.ts';
import { ModelTensors } from './tensors.ts';

/** Whether a checkpoint's tensor names are those of RWKV-6. */
export function isRwkv6(tensors: ReadonlyMap<string, TensorInfo>): boolean {
  return tensors.has('blocks.0.att.time_maa_x');
}

/**
 * RWKV-6 under its official tensor names, all sizes and ranks read from the tensors' shapes.
 * @throws ReceptanceError `MISSING_TENSOR` or `SHAPE_MISMATCH` naming the tensor
 */
export function rwkv6(tensors: ReadonlyMap<string, TensorInfo>, options: ModelOptions = {}): LanguageModel {
  const shapes = new ModelTensors(tensors, 'RWKV-6');
  const [, width] = shapes.matrixShape('emb.weight');
  const [heads, headSize] = shapes.matrixShape('blocks.0.att.time_faaaa');
  if (heads * headSize !== width)
    throw shapes.mismatch('blocks.0.att.time_faaaa', `heads of a width of ${width} in all`);
  const eps = options.groupNormEps ?? 64e-5;
  const version = { architecture: 'rwkv6', tensors: shapes, width };
  return rwkvModel({
    ...version,
    state: (layer) => matrixState(version, layer, heads, 'key-value'),
    ...{ block: 'block6', attrs: { eps, mixOf: 'previous' } },
    timeMix: (half) => timeMix(half, shapes, [heads, headSize]),
    channelMix,
  });
}

function timeMix(
  { layer, state, vector, matrix, dense }: HalfBlock,
  shapes: ModelTensors,
  perHead: readonly [number, number],
): HalfInputs<'timeMix6'> {
  const [, down] = shapes.matrixShape(`blocks.${layer}.att.time_maa_w1`);
  const width = perHead[0] * perHead[1];
  if (down % 5 !== 0) throw shapes.mismatch(`blocks.${layer}.att.time_maa_w1`, 'five ranks wide');
  return {
    ...{ prev: state('att_xx'), s0: state('att_kv') },
    ...{ maa_x: vector('time_maa_x'), maa_w1: matrix('time_maa_w1') },
    ...{ maa_w2: dense('time_maa_w2', [5, down / 5, width]), maa_w: vector('time_maa_w') },
    ...{ maa_k: vector('time_maa_k'), maa_v: vector('time_maa_v') },
    ...{ maa_r: vector('time_maa_r'), maa_g: vector('time_maa_g') },
    ...{ decay: vector('time_decay'), decay_w1: matrix('time_decay_w1'), decay_w2: matrix('time_decay_w2') },
    ...{ u: dense('time_faaaa', perHead), receptance: matrix('receptance.weight'), key: matrix('key.weight') },
    ...{ value: matrix('value.weight'), gate: matrix('gate.weight'), output: matrix('output.weight') },
    ...{ ln_x_w: vector('ln_x.weight'), ln_x_b: vector('ln_x.bias') },
  };
}

function channelMix({ state, vector, matrix }: HalfBlock): HalfInputs<'channelMix4'> {
  return {
    ...{ prev: state('ffn_xx'), mix_k: vector('time_maa_k'), mix_r: vector('time_maa_r') },
    ...{ key: matrix('key.weight'), receptance: matrix('receptance.weight'), value: matrix('value.weight') },
  };
}
