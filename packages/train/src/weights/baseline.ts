import { ReceptanceError, type WeightSource } from '@receptance/core';
import { randomStream } from '../random.ts';
import { type Tensor, tensor, tensorSource } from './tensors.ts';

export const BASELINES = ['transformer', 'aft-simple', 'aft-local'] as const;

/** The size of a model that RWKV is compared with: see `transformer` of core. */
export interface BaselineConfig {
  readonly architecture: (typeof BASELINES)[number];
  readonly layers: number;
  readonly width: number;
  readonly vocabularySize: number;
  /** Channels of a head of the transformer. Default 64. */
  readonly headSize?: number | undefined;
  /** Default 4C. */
  readonly ffn?: number | undefined;
  /** Places that are learned: the longest text. By default as long as those of the training. */
  readonly context?: number | undefined;
  /** Of AFT-local. Default 32. */
  readonly window?: number | undefined;
}

/** Standard deviation of GPT-2's first matrices; those that write to the stream are smaller by √(2L). */
const DEVIATION = 0.02;

/** @throws ReceptanceError `BAD_OPTION` */
export function baselineWeights(config: BaselineConfig & { readonly context: number }, seed: number): WeightSource {
  const { architecture, layers, width, vocabularySize, context, headSize = 64, ffn = 4 * width, window = 32 } = config;
  for (const [name, value] of Object.entries({ layers, width, vocabularySize, context, headSize, ffn, window })) {
    if (!Number.isSafeInteger(value) || value < 1) throw badConfig(`${name} is ${value}`, 'it is a whole number ≥ 1');
  }
  if (architecture === 'transformer' && width % headSize !== 0) {
    throw badConfig(`heads of ${headSize} do not make a width of ${width}`, 'let headSize divide width');
  }
  const made = new Map<string, Tensor>();
  const matrix = (name: string, rows: number, columns: number, deviation = DEVIATION): void => {
    const random = randomStream(seed, name);
    made.set(
      name,
      tensor([rows, columns], () => deviation * random.normal()),
    );
  };
  const norm = (name: string): void => {
    made.set(
      `${name}.weight`,
      tensor([width], () => 1),
    );
    made.set(`${name}.bias`, tensor([width]));
  };
  matrix('emb.weight', vocabularySize, width);
  matrix('pos.weight', context, width);
  for (let layer = 0; layer < layers; layer++) {
    const block = `blocks.${layer}`;
    for (const name of ['ln1', 'ln2']) norm(`${block}.${name}`);
    for (const name of ['query', 'key', 'value']) matrix(`${block}.att.${name}.weight`, width, width);
    matrix(`${block}.att.output.weight`, width, width, DEVIATION / Math.sqrt(2 * layers));
    if (architecture === 'aft-local') made.set(`${block}.att.position`, tensor([context, context]));
    matrix(`${block}.ffn.key.weight`, ffn, width);
    matrix(`${block}.ffn.value.weight`, width, ffn, DEVIATION / Math.sqrt(2 * layers));
  }
  norm('ln_out');
  matrix('head.weight', vocabularySize, width);
  return tensorSource(made);
}

function badConfig(message: string, hint: string): ReceptanceError {
  return new ReceptanceError('BAD_OPTION', `a model cannot be made: ${message}`, { hint });
}
