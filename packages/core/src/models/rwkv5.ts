import type { Value } from '../ir/types.ts';
import type { TensorInfo } from '../weights/weights.ts';
import type { LanguageModel } from './language-model.ts';
import { type HalfBlock, type HalfInputs, matrixState, rwkvModel } from './rwkv.ts';
import { channelMix4 } from './rwkv4.ts';
import type { ModelOptions } from './rwkv7.ts';
import { ModelTensors } from './tensors.ts';

/** Whether a checkpoint's tensor names are those of RWKV-5 (5.0, 5.1 or 5.2). */
export function isRwkv5(tensors: ReadonlyMap<string, TensorInfo>): boolean {
  return tensors.has('blocks.0.att.time_mix_k') && tensors.has('blocks.0.att.ln_x.weight');
}

/**
 * RWKV-5 under its official tensor names. 5.0 has no gate; 5.0 and 5.1 have one decay and bonus a head, 5.2 one a
 * channel; the bonus is `time_faaaa`, or exp of the older `time_first`.
 * @throws ReceptanceError `MISSING_TENSOR` or `SHAPE_MISMATCH` naming the tensor
 */
export function rwkv5(tensors: ReadonlyMap<string, TensorInfo>, options: ModelOptions = {}): LanguageModel {
  const shapes = new ModelTensors(tensors, 'RWKV-5');
  const [, width] = shapes.matrixShape('emb.weight');
  const { heads } = headsOf(shapes, 'blocks.0.att.time_decay', width);
  if (width % heads !== 0) throw shapes.mismatch('blocks.0.att.time_decay', `one row a head of a width of ${width}`);
  const eps = options.groupNormEps ?? 64e-5;
  const version = { architecture: 'rwkv5', tensors: shapes, width };
  return rwkvModel({
    ...version,
    state: (layer) => matrixState(version, layer, heads, 'key-value'),
    ...{ block: 'block5', attrs: { eps, mixOf: 'present' } },
    timeMix: (half) => timeMix(half, shapes, [heads, width / heads]),
    channelMix: channelMix4,
  });
}

/** Of a tensor `[H]`, one number a head, or `[H,D]`, one a channel. A single head is a row, whose axis of length 1 counts. */
function headsOf(
  shapes: ModelTensors,
  name: string,
  width: number,
): { readonly heads: number; readonly perChannel: boolean } {
  const [first = 1, ...more] = shapes.shape(name);
  const isRow = more.length === 0 && first === width && shapes.rank(name) > 1;
  return isRow ? { heads: 1, perChannel: true } : { heads: first, perChannel: more.length > 0 };
}

function timeMix(
  { b, layer, state, vector, matrix, dense }: HalfBlock,
  shapes: ModelTensors,
  perHead: readonly [number, number],
): HalfInputs<'timeMix5'> {
  const att = `blocks.${layer}.att.`;
  const [heads, size] = perHead;
  /** `[H]` or `[H,D]` as `[H,D]`. */
  const spread = (name: string): Value => {
    const { perChannel } = headsOf(shapes, att + name, heads * size);
    return perChannel ? dense(name, perHead) : b.broadcast(b.reshape(dense(name, [heads]), [heads, 1]), perHead);
  };
  const u = shapes.has(`${att}time_faaaa`) ? spread('time_faaaa') : b.unary('exp', spread('time_first'));
  const gate = shapes.has(`${att}gate.weight`) ? { mix_g: vector('time_mix_g'), gate: matrix('gate.weight') } : {};
  return {
    ...{ prev: state('att_xx'), s0: state('att_kv') },
    ...{ mix_k: vector('time_mix_k'), mix_v: vector('time_mix_v'), mix_r: vector('time_mix_r') },
    ...{ lw: b.unary('neg', b.unary('exp', spread('time_decay'))), u, ...gate },
    ...{ receptance: matrix('receptance.weight'), key: matrix('key.weight') },
    ...{ value: matrix('value.weight'), output: matrix('output.weight') },
    ...{ ln_x_w: vector('ln_x.weight'), ln_x_b: vector('ln_x.bias') },
  };
}
