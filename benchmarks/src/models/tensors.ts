import type { ModelSize } from './registry.ts';

/** How the numbers of a tensor are drawn: normal of a standard deviation around a mean, or uniform. */
export type Distribution =
  | { readonly kind: 'normal'; readonly deviation: number; readonly mean?: number }
  | { readonly kind: 'uniform'; readonly low: number; readonly high: number };

export interface TensorShape {
  readonly name: string;
  readonly shape: readonly number[];
  readonly distribution: Distribution;
}

function normal(name: string, shape: readonly number[], deviation: number, mean = 0): TensorShape {
  return { name, shape, distribution: { kind: 'normal', deviation, mean } };
}

function uniform(name: string, shape: readonly number[], low: number, high: number): TensorShape {
  return { name, shape, distribution: { kind: 'uniform', low, high } };
}

/** A projection that keeps the size of what it is given. */
function projection(name: string, outer: number, inner: number): TensorShape {
  return normal(name, [outer, inner], inner ** -0.5);
}

function norm(name: string, width: number, bias = 0): TensorShape[] {
  return [uniform(`${name}.weight`, [width], 0.7, 1.3), normal(`${name}.bias`, [width], 0.1, bias)];
}

/**
 * Nine in ten numbers of relu² are zero in trained models (89 to 93 % in the bundled one), and kernels pass over their
 * weights. So here: what channel mix is given has this mean, and its keys, of deviation 0.96, a mean 1.3 deviations below 0.
 */
const MIXED_MEAN = 0.5;
const KEY_MEAN = -1.3 * 0.96;

/** The tensors of a model under their official names. Every part is of the size it has in trained models. */
export function tensorsOf(size: ModelSize): TensorShape[] {
  const { layers, width, vocabulary } = size;
  const blocks = Array.from({ length: layers }, (_, layer) => {
    const block = `blocks.${layer}`;
    return [
      ...norm(`${block}.ln1`, width),
      ...norm(`${block}.ln2`, width, MIXED_MEAN),
      ...timeMix(size, layer, `${block}.att`),
      ...channelMix(size, `${block}.ffn`),
    ];
  });
  return [
    normal('emb.weight', [vocabulary, width], 1),
    ...norm('blocks.0.ln0', width),
    ...blocks.flat(),
    ...norm('ln_out', width),
    normal('head.weight', [vocabulary, width], 2 * width ** -0.5),
  ];
}

function mixes(prefix: string, streams: string, width: number): TensorShape[] {
  return [...streams].map((stream) => uniform(`${prefix}${stream}`, [1, 1, width], 0, 1));
}

function timeMix(size: ModelSize, layer: number, att: string): TensorShape[] {
  const { version, width } = size;
  const square = (...names: string[]): TensorShape[] =>
    names.map((name) => projection(`${att}.${name}.weight`, width, width));
  const common = square('receptance', 'key', 'value', 'output');
  switch (version) {
    case 4:
      return [
        ...common,
        ...mixes(`${att}.time_mix_`, 'kvr', width),
        uniform(`${att}.time_decay`, [width], -5, 2),
        normal(`${att}.time_first`, [width], 0.5),
      ];
    case 5:
      return [...common, ...square('gate'), ...mixes(`${att}.time_mix_`, 'kvrg', width), ...memory5(size, att)];
    case 6:
      return [...common, ...square('gate'), ...mixes(`${att}.time_maa_`, 'xwkvrg', width), ...memory6(size, att)];
    case 7:
      return [...common, ...mixes(`${att}.x_`, 'rwkvag', width), ...memory7(size, layer, att)];
  }
}

function memory5({ width, headSize }: ModelSize, att: string): TensorShape[] {
  const perHead = [width / headSize, headSize];
  return [
    uniform(`${att}.time_decay`, perHead, -6, 0),
    normal(`${att}.time_faaaa`, perHead, 0.3),
    ...norm(`${att}.ln_x`, width),
  ];
}

function memory6({ width, headSize, ranks }: ModelSize, att: string): TensorShape[] {
  return [
    normal(`${att}.time_maa_w1`, [width, 5 * ranks.a], width ** -0.5),
    normal(`${att}.time_maa_w2`, [5, ranks.a, width], ranks.a ** -0.5),
    uniform(`${att}.time_decay`, [1, 1, width], -6, 0),
    normal(`${att}.time_decay_w1`, [width, ranks.w], width ** -0.5),
    normal(`${att}.time_decay_w2`, [ranks.w, width], ranks.w ** -0.5),
    normal(`${att}.time_faaaa`, [width / headSize, headSize], 0.3),
    ...norm(`${att}.ln_x`, width),
  ];
}

function memory7({ width, headSize, ranks }: ModelSize, layer: number, att: string): TensorShape[] {
  const lora = (name: 'w' | 'a' | 'v' | 'g'): TensorShape[] => [
    normal(`${att}.${name}1`, [width, ranks[name]], width ** -0.5),
    normal(`${att}.${name}2`, [ranks[name], width], ranks[name] ** -0.5),
    ...(name === 'g' ? [] : [normal(`${att}.${name}0`, [1, 1, width], 1)]),
  ];
  return [
    ...lora('w'),
    ...lora('a'),
    ...lora('g'),
    ...(layer > 0 ? lora('v') : []),
    uniform(`${att}.k_k`, [1, 1, width], 0.5, 1),
    uniform(`${att}.k_a`, [1, 1, width], 0.5, 1),
    normal(`${att}.r_k`, [width / headSize, headSize], 0.2),
    ...norm(`${att}.ln_x`, width),
  ];
}

function channelMix({ version, width, ffn }: ModelSize, prefix: string): TensorShape[] {
  const key = normal(`${prefix}.key.weight`, [ffn, width], width ** -0.5, KEY_MEAN / (MIXED_MEAN * width));
  const both = [key, projection(`${prefix}.value.weight`, width, ffn)];
  if (version === 7) return [...both, ...mixes(`${prefix}.x_`, 'k', width)];
  const mix = version === 6 ? 'time_maa_' : 'time_mix_';
  return [...both, projection(`${prefix}.receptance.weight`, width, width), ...mixes(`${prefix}.${mix}`, 'kr', width)];
}
