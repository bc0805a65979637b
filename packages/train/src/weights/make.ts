import { type Random, randomStream } from '../random.ts';
import type { CompleteConfig } from './config.ts';
import { orthogonal } from './orthogonal.ts';
import { type Tensor, tensor } from './tensors.ts';

/** Where a layer is in its model, as the official initialisations measure it. */
export interface Layer {
  readonly index: number;
  /** 0 in the first layer, 1 in the last: `ratio_0_to_1`. */
  readonly depth: number;
  /** 1 in the first layer, 1/L in the last: `ratio_1_to_almost0`. */
  readonly left: number;
}

/** What the initialisation of a version adds to a layer, by its short names: `att.w0`. */
export type LayerTensors = (make: Maker, layer: Layer) => Readonly<Record<string, Tensor>>;

/** Makes tensors of one model, each from a stream of numbers of its own: none depends on which were made before. */
export class Maker {
  readonly config: CompleteConfig;
  readonly #seed: number;

  constructor(config: CompleteConfig, seed: number) {
    this.config = config;
    this.#seed = seed;
  }

  /** Vector of the width: `value` of the channel, and of where it lies in [0, 1]. */
  channels(value: (channel: number, place: number) => number, shape?: readonly number[]): Tensor {
    const { width } = this.config;
    return tensor(shape ?? [1, 1, width], (i) => value(i, i / (width - 1)));
  }

  constant(value: number, shape: readonly number[] = [1, 1, this.config.width]): Tensor {
    return tensor(shape, () => value);
  }

  zeros(...shape: number[]): Tensor {
    return tensor(shape);
  }

  uniform(name: string, bound: number, ...shape: number[]): Tensor {
    const random = this.#stream(name);
    return tensor(shape, () => (2 * random.uniform() - 1) * bound);
  }

  orthogonal(name: string, gain: number, rows: number, columns: number): Tensor {
    return orthogonal(this.#stream(name), rows, columns, gain);
  }

  #stream(name: string): Random {
    return randomStream(this.#seed, name);
  }
}

/** Embedding, norms, head, and what the version makes of every layer. */
export function makeModel(config: CompleteConfig, seed: number, layerTensors: LayerTensors): Map<string, Tensor> {
  const make = new Maker(config, seed);
  const { layers, width, vocabularySize } = config;
  const made = new Map<string, Tensor>();
  const norm = (name: string): void => {
    made.set(`${name}.weight`, make.constant(1, [width]));
    made.set(`${name}.bias`, make.zeros(width));
  };
  made.set('emb.weight', make.uniform('emb.weight', 1e-4, vocabularySize, width));
  for (let index = 0; index < layers; index++) {
    const block = `blocks.${index}`;
    for (const name of index === 0 ? ['ln0', 'ln1', 'ln2'] : ['ln1', 'ln2']) norm(`${block}.${name}`);
    const layer = { index, depth: index / Math.max(1, layers - 1), left: 1 - index / layers };
    for (const [name, each] of Object.entries(layerTensors(make, layer))) made.set(`${block}.${name}`, each);
  }
  norm('ln_out');
  const gain = 0.5 * Math.sqrt(Math.max(1, vocabularySize / width));
  made.set('head.weight', make.orthogonal('head.weight', gain, vocabularySize, width));
  return made;
}
