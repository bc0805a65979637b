import type { Layer, LayerTensors, Maker } from './make.ts';
import { channelMixMatrices, tall, triple } from './rwkv4.ts';
import type { Tensor } from './tensors.ts';

/** What the time mixes of versions 5 and 6 begin with alike. */
export function timeMixMatrices(make: Maker, { index, depth }: Layer): Record<string, Tensor> {
  const { layers, width, headSize } = make.config;
  const square = (own: string, scale: number): Tensor =>
    tall(make, `blocks.${index}.att.${own}.weight`, scale, width, width);
  return {
    'att.time_faaaa': make.channels(
      (channel, place) => depth * (1 - place) + 0.1 * triple(channel),
      [width / headSize, headSize],
    ),
    'att.receptance.weight': square('receptance', 1),
    'att.key.weight': square('key', 0.1),
    'att.value.weight': square('value', 1),
    'att.gate.weight': square('gate', 0.1),
    'att.output.weight': make.zeros(width, width),
    'att.ln_x.weight': make.constant(((1 + index) / layers) ** 0.7, [width]),
    'att.ln_x.bias': make.zeros(width),
  };
}

export function decaySpeed({ depth }: Layer): (channel: number, place: number) => number {
  return (_, place) => -6 + 5 * place ** (0.7 + 1.3 * depth);
}

/** RWKV-5.2 as its official trainer begins. */
export const layer5: LayerTensors = (make, layer) => {
  const { width, headSize } = make.config;
  const { depth, left } = layer;
  const mix = (power: number, more = 0): Tensor => make.channels((channel) => (channel / width) ** power + more);
  return {
    'att.time_mix_k': mix(left),
    'att.time_mix_v': mix(left, 0.3 * depth),
    'att.time_mix_r': mix(0.5 * left),
    'att.time_mix_g': mix(0.5 * left),
    'att.time_decay': make.channels(decaySpeed(layer), [width / headSize, headSize]),
    ...timeMixMatrices(make, layer),
    'ffn.time_mix_k': mix(left),
    'ffn.time_mix_r': mix(left),
    ...channelMixMatrices(make, layer),
  };
};
