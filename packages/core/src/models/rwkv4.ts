import type { TensorInfo } from '../weights/weights.ts';
import type { LanguageModel } from './language-model.ts';
import { type HalfBlock, type HalfInputs, rwkvModel } from './rwkv.ts';
import { ModelTensors } from './tensors.ts';

/** Where att_pp starts: an exponent below all others, and finite. */
const BEFORE_ALL = -1e30;

/** Whether a checkpoint's tensor names are those of RWKV-4. */
export function isRwkv4(tensors: ReadonlyMap<string, TensorInfo>): boolean {
  return tensors.has('blocks.0.att.time_mix_k') && !tensors.has('blocks.0.att.ln_x.weight');
}

/**
 * RWKV-4 under its official tensor names, all sizes read from the tensors' shapes.
 * @throws ReceptanceError `MISSING_TENSOR` or `SHAPE_MISMATCH` naming the tensor
 */
export function rwkv4(tensors: ReadonlyMap<string, TensorInfo>): LanguageModel {
  const shapes = new ModelTensors(tensors, 'RWKV-4');
  const [, width] = shapes.matrixShape('emb.weight');
  const entry = (name: string, initial: number) => ({ name, shape: [width], initial });
  return rwkvModel({
    ...{ architecture: 'rwkv4', tensors: shapes, width },
    state: () => [
      entry('att_xx', 0),
      entry('att_aa', 0),
      entry('att_bb', 0),
      entry('att_pp', BEFORE_ALL),
      entry('ffn_xx', 0),
    ],
    ...{ block: 'block4', attrs: { mixOf: 'present' } },
    timeMix,
    channelMix: channelMix4,
  });
}

function timeMix({ b, state, vector, matrix }: HalfBlock): HalfInputs<'timeMix4'> {
  return {
    ...{ prev: state('att_xx'), aa0: state('att_aa'), bb0: state('att_bb'), pp0: state('att_pp') },
    ...{ mix_k: vector('time_mix_k'), mix_v: vector('time_mix_v'), mix_r: vector('time_mix_r') },
    ...{ w: b.unary('neg', b.unary('exp', vector('time_decay'))), u: vector('time_first') },
    ...{ key: matrix('key.weight'), value: matrix('value.weight') },
    ...{ receptance: matrix('receptance.weight'), output: matrix('output.weight') },
  };
}

/** Of versions 4 and 5. */
export function channelMix4({ state, vector, matrix }: HalfBlock): HalfInputs<'channelMix4'> {
  return {
    ...{ prev: state('ffn_xx'), mix_k: vector('time_mix_k'), mix_r: vector('time_mix_r') },
    ...{ key: matrix('key.weight'), receptance: matrix('receptance.weight'), value: matrix('value.weight') },
  };
}
