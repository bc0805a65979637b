import type { TensorInfo } from '../weights/weights.ts';
import type { LanguageModel } from './language-model.ts';
import { type HalfBlock, type HalfInputs, matrixState, rwkvModel } from './rwkv.ts';
import { ModelTensors } from './tensors.ts';

export interface ModelOptions {
  /** Of the group norm after the memory (versions 5, 6, 7): 64e-5 in all official models. */
  readonly groupNormEps?: number;
}

/** Whether a checkpoint's tensor names are those of RWKV-7. */
export function isRwkv7(tensors: ReadonlyMap<string, TensorInfo>): boolean {
  return tensors.has('blocks.0.att.r_k') && tensors.has('blocks.0.att.w0');
}

/**
 * RWKV-7 under its official tensor names, all sizes read from the tensors' shapes: any number of heads, head size,
 * feed-forward size and LoRA ranks, which may differ from layer to layer.
 * @throws ReceptanceError `MISSING_TENSOR` or `SHAPE_MISMATCH` naming the tensor
 */
export function rwkv7(tensors: ReadonlyMap<string, TensorInfo>, options: ModelOptions = {}): LanguageModel {
  const shapes = new ModelTensors(tensors, 'RWKV-7');
  const [, width] = shapes.matrixShape('emb.weight');
  const [heads, headSize] = shapes.matrixShape('blocks.0.att.r_k');
  if (heads * headSize !== width) throw shapes.mismatch('blocks.0.att.r_k', `heads of a width of ${width} in all`);
  const eps = options.groupNormEps ?? 64e-5;
  const version = { architecture: 'rwkv7', tensors: shapes, width };
  return rwkvModel({
    ...version,
    state: (layer) => matrixState(version, layer, heads, 'value-key'),
    ...{ block: 'block7', attrs: { eps } },
    timeMix: (half) => timeMix(half, [heads, headSize]),
    channelMix,
  });
}

function timeMix(half: HalfBlock, perHead: readonly [number, number]): HalfInputs<'timeMix7'> {
  const { first, state, vector, matrix, dense } = half;
  const residual = first === undefined ? {} : { vFirst: first, v0: vector('v0'), v1: matrix('v1'), v2: matrix('v2') };
  return {
    ...{ prev: state('att_xx'), s0: state('att_kv') },
    ...{ x_r: vector('x_r'), x_w: vector('x_w'), x_k: vector('x_k') },
    ...{ x_v: vector('x_v'), x_a: vector('x_a'), x_g: vector('x_g') },
    ...{ receptance: matrix('receptance.weight'), key: matrix('key.weight') },
    ...{ value: matrix('value.weight'), output: matrix('output.weight') },
    ...{ w0: vector('w0'), w1: matrix('w1'), w2: matrix('w2') },
    ...{ a0: vector('a0'), a1: matrix('a1'), a2: matrix('a2') },
    ...{ g1: matrix('g1'), g2: matrix('g2'), ...residual },
    ...{ k_k: vector('k_k'), k_a: vector('k_a'), r_k: dense('r_k', perHead) },
    ...{ ln_x_w: vector('ln_x.weight'), ln_x_b: vector('ln_x.bias') },
  };
}

function channelMix({ state, vector, matrix }: HalfBlock): HalfInputs<'channelMix7'> {
  return { prev: state('ffn_xx'), x_k: vector('x_k'), key: matrix('key.weight'), value: matrix('value.weight') };
}
