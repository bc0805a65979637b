import type { LayerTensors } from './make.ts';
import { channelMixMatrices } from './rwkv4.ts';
import { decaySpeed, timeMixMatrices } from './rwkv5.ts';
import type { Tensor } from './tensors.ts';

/** RWKV-6 as its official trainer begins: the mixes are those of version 5, seen from the token itself. */
export const layer6: LayerTensors = (make, layer) => {
  const { width, ranks } = make.config;
  const { index, depth, left } = layer;
  const mix = (power: number, more = 0): Tensor => make.channels((channel) => 1 - ((channel / width) ** power + more));
  const small = (own: string, ...shape: number[]): Tensor => make.uniform(`blocks.${index}.${own}`, 0.01, ...shape);
  return {
    'att.time_maa_x': mix(left),
    'att.time_maa_w': mix(left),
    'att.time_maa_k': mix(left),
    'att.time_maa_v': mix(left, 0.3 * depth),
    'att.time_maa_r': mix(0.5 * left),
    'att.time_maa_g': mix(0.5 * left),
    'att.time_maa_w1': make.zeros(width, 5 * ranks.mix),
    'att.time_maa_w2': small('att.time_maa_w2', 5, ranks.mix, width),
    'att.time_decay': make.channels(decaySpeed(layer)),
    'att.time_decay_w1': make.zeros(width, ranks.decay),
    'att.time_decay_w2': small('att.time_decay_w2', ranks.decay, width),
    ...timeMixMatrices(make, layer),
    'ffn.time_maa_k': mix(left),
    'ffn.time_maa_r': mix(left),
    ...channelMixMatrices(make, layer),
  };
};
