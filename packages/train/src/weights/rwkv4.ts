import type { Layer, LayerTensors, Maker } from './make.ts';
import type { Tensor } from './tensors.ts';

/** −1, 0, 1 in turn. */
export function triple(channel: number): number {
  return ((channel + 1) % 3) - 1;
}

/** An orthogonal matrix whose gain grows with how much taller than wide it is. */
export function tall(make: Maker, name: string, scale: number, rows: number, columns: number): Tensor {
  return make.orthogonal(name, scale * Math.sqrt(Math.max(1, rows / columns)), rows, columns);
}

/** The channel mix of versions 4 to 6: how far each takes the token before is for the version to say. */
export function channelMixMatrices(make: Maker, { index }: Layer): Record<string, Tensor> {
  const { width, ffn } = make.config;
  return {
    'ffn.key.weight': tall(make, `blocks.${index}.ffn.key.weight`, 1, ffn, width),
    'ffn.receptance.weight': make.zeros(width, width),
    'ffn.value.weight': make.zeros(width, ffn),
  };
}

/** RWKV-4 as its official trainer begins. */
export const layer4: LayerTensors = (make, layer) => {
  const { width } = make.config;
  const { index, depth, left } = layer;
  const mix = (power: number, more = 0): Tensor => make.channels((channel) => (channel / width) ** power + more);
  return {
    'att.time_decay': make.channels((_, place) => -5 + 8 * place ** (0.7 + 1.3 * depth), [width]),
    'att.time_first': make.channels((channel) => Math.log(0.3) + 0.5 * triple(channel), [width]),
    'att.time_mix_k': mix(left),
    'att.time_mix_v': mix(left, 0.3 * depth),
    'att.time_mix_r': mix(0.5 * left),
    'att.key.weight': make.zeros(width, width),
    'att.value.weight': tall(make, `blocks.${index}.att.value.weight`, 1, width, width),
    'att.receptance.weight': make.zeros(width, width),
    'att.output.weight': make.zeros(width, width),
    'ffn.time_mix_k': mix(left),
    'ffn.time_mix_r': mix(left),
    ...channelMixMatrices(make, layer),
  };
};
