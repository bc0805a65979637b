import type { LayerTensors } from './make.ts';
import type { Tensor } from './tensors.ts';

const MIXES = { r: 0.2, w: 0.9, k: 0.7, v: 0.7, a: 0.9, g: 0.2 };

/** RWKV-7 as its official trainer begins: decays spread over channels and layers, outputs at 0. */
export const layer7: LayerTensors = (make, { index, depth, left }) => {
  const { layers, width, headSize, ffn, ranks } = make.config;
  const name = (own: string): string => `blocks.${index}.${own}`;
  const matrix = (own: string, bound: number, rows: number): Tensor =>
    make.uniform(name(own), bound / Math.sqrt(width), rows, width);
  const pair = (own: string, rank: number): Record<string, Tensor> => ({
    [`att.${own}1`]: make.zeros(width, rank),
    [`att.${own}2`]: make.orthogonal(name(`att.${own}2`), 0.1 * Math.sqrt(Math.max(1, rank / width)), rank, width),
  });
  const mix = (power: number): Tensor => make.channels((channel) => 1 - (channel / width) ** power);
  /** From −1 to 1 over the channels of each head, flat in the middle. */
  const zigzag = (channel: number): number => {
    const half = (headSize - 1) / 2;
    const place = half === 0 ? 0 : ((channel % headSize) - half) / half;
    return place * Math.abs(place);
  };
  const mixes = Object.entries(MIXES).map(([stream, power]) => [`att.x_${stream}`, mix(power * left)] as const);
  const residual =
    index === 0 ? {} : { 'att.v0': make.channels((_, place) => 0.73 - (place - 0.5) * 0.4), ...pair('v', ranks.value) };
  return {
    ...Object.fromEntries(mixes),
    'att.w0': make.channels((i, place) => -6 + 6 * place ** (1 + depth ** 0.3) + 0.5 + zigzag(i) * 2.5),
    ...pair('w', ranks.decay),
    'att.a0': make.channels((i, place) => -0.19 + zigzag(i) * 0.3 + (place - 0.5) * 0.4),
    ...pair('a', ranks.rate),
    ...residual,
    ...pair('g', ranks.gate),
    'att.k_k': make.channels((_, place) => 0.71 - (place - 0.5) * 0.1),
    'att.k_a': make.constant(1.02),
    'att.r_k': make.constant(-0.04, [width / headSize, headSize]),
    'att.receptance.weight': matrix('att.receptance.weight', 0.5, width),
    'att.key.weight': matrix('att.key.weight', 0.05, width),
    'att.value.weight': matrix('att.value.weight', 0.5, width),
    'att.output.weight': make.zeros(width, width),
    'att.ln_x.weight': make.constant(((1 + index) / layers) ** 0.7, [width]),
    'att.ln_x.bias': make.zeros(width),
    'ffn.x_k': mix(left ** 4),
    'ffn.key.weight': matrix('ffn.key.weight', 0.5, ffn),
    'ffn.value.weight': make.zeros(width, ffn),
  };
};
