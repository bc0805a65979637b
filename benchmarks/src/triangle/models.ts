import type { TransformerOptions, WeightSource } from '@receptance/core';
import { elementCount } from '@receptance/core';
import { type BaselineConfig, baselineWeights, initialWeights, type ModelConfig } from '@receptance/train';
import { VOCABULARY } from './corpus.ts';

export const MODELS = ['rwkv7', 'rwkv4', 'transformer', 'aft-simple', 'aft-local'] as const;
export type ModelName = (typeof MODELS)[number];

export const TITLES: Readonly<Record<ModelName, string>> = {
  rwkv7: 'RWKV-7',
  rwkv4: 'RWKV-4',
  transformer: 'transformer',
  'aft-simple': 'AFT-simple',
  'aft-local': 'AFT-local',
};

/** What all models have in common. */
export interface Size {
  readonly layers: number;
  readonly width: number;
  readonly headSize: number;
  /** Tokens that AFT-local has weights of its own for. */
  readonly window: number;
  /** T, tokens of a text in training: the places that the baselines learn. */
  readonly length: number;
}

type Config = (ModelConfig | BaselineConfig) & { readonly ffn: number };

export interface SizedModel {
  readonly name: ModelName;
  readonly config: Config;
  /** Numbers that are trained and read: see `parameterCount`. */
  readonly parameters: number;
}

/** Widths of the feed-forward part are multiples of this. */
const STEP = 8;

/**
 * Models as large as an RWKV-7 of this size with the usual feed-forward part of four times the width: the others get one that makes
 * their numbers of parameters the nearest.
 */
export function equalModels(size: Size, names: readonly ModelName[] = MODELS): SizedModel[] {
  const target = parameterCount(configOf('rwkv7', size, 4 * size.width), size);
  return names.map((name) => {
    const [one, two] = [STEP, 2 * STEP].map((ffn) => parameterCount(configOf(name, size, ffn), size));
    const slope = (two ?? 0) - (one ?? 0);
    const ffn = STEP * Math.max(1, 1 + Math.round((target - (one ?? 0)) / slope));
    const config = configOf(name, size, ffn);
    return { name, config, parameters: parameterCount(config, size) };
  });
}

function configOf(architecture: ModelName, { layers, width, headSize, window, length }: Size, ffn: number): Config {
  const common = { layers, width, headSize, vocabularySize: VOCABULARY, ffn };
  return architecture === 'rwkv4' || architecture === 'rwkv7'
    ? { architecture, ...common }
    : { architecture, ...common, window, context: length };
}

/**
 * Numbers that are trained. Of AFT-local's weights for pairs of places only those count that are ever read: a token and those up to
 * `window` before it.
 */
export function parameterCount(
  config: Config,
  { layers, window, length }: Pick<Size, 'layers' | 'window' | 'length'>,
): number {
  const all = [...sourceOf(config).tensors.values()].reduce((sum, { shape }) => sum + elementCount(shape), 0);
  if (config.architecture !== 'aft-local') return all;
  const near = Math.min(window, length);
  const read = near * length - (near * (near - 1)) / 2;
  return all - layers * (length ** 2 - read);
}

function sourceOf(config: Config): WeightSource {
  return isBaseline(config)
    ? baselineWeights({ ...config, context: config.context ?? 1 }, 0)
    : initialWeights(config, 0);
}

export function isBaseline(config: ModelConfig | BaselineConfig): config is BaselineConfig {
  return !config.architecture.startsWith('rwkv');
}

/** How core's `transformer` looks back in this baseline. */
export function mixingOf({ architecture, width, headSize = 64, window = 32 }: BaselineConfig): TransformerOptions {
  if (architecture === 'transformer') return { heads: width / headSize };
  return { heads: 1, mixing: architecture === 'aft-simple' ? 'aftSimple' : { aftLocal: window } };
}
