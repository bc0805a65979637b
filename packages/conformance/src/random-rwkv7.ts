import type { WeightSource } from '@receptance/core';
import { Random } from './random.ts';
import { memorySource, type StoredTensor, store } from './weights.ts';

export interface RandomRwkv7Options {
  readonly layers: number;
  readonly heads: number;
  readonly headSize: number;
  /** Width of the channel mix. */
  readonly ffn: number;
  /** Of the low-rank projections: decay, learning rate, value residual, gate. */
  readonly ranks: { readonly w: number; readonly a: number; readonly v: number; readonly g: number };
  readonly vocabulary: number;
  readonly seed: string;
}

/**
 * A small RWKV-7 with random weights under the official names, of any shape: for checks that compare a model with
 * itself. Its parts are of the size they have in trained models, so that every one of them moves the logits.
 */
export function randomRwkv7({
  layers,
  heads,
  headSize,
  ffn,
  ranks,
  vocabulary,
  seed,
}: RandomRwkv7Options): WeightSource {
  const width = heads * headSize;
  const tensors: Record<string, StoredTensor> = {};
  const put = (name: string, shape: readonly number[], make: (random: Random) => number): void => {
    const random = new Random(`${seed}/${name}`);
    const elements = shape.reduce((product, size) => product * size, 1);
    tensors[name] = store(
      'f32',
      shape,
      Float32Array.from({ length: elements }, () => make(random)),
    );
  };
  const normal = (name: string, shape: readonly number[], scale: number): void => {
    put(name, shape, (random) => random.normal(scale));
  };
  const uniform = (name: string, shape: readonly number[], low: number, high: number): void => {
    put(name, shape, (random) => random.uniform(low, high));
  };
  const norm = (name: string): void => {
    uniform(`${name}.weight`, [width], 0.7, 1.3);
    normal(`${name}.bias`, [width], 0.1);
  };
  const lora = (name: string, rank: number, bias: boolean): void => {
    normal(`${name}1`, [width, rank], width ** -0.5);
    normal(`${name}2`, [rank, width], rank ** -0.5);
    if (bias) normal(`${name}0`, [1, 1, width], 1);
  };

  normal('emb.weight', [vocabulary, width], 1);
  norm('blocks.0.ln0');
  for (let layer = 0; layer < layers; layer++) {
    const [block, att, ffnName] = [`blocks.${layer}`, `blocks.${layer}.att`, `blocks.${layer}.ffn`];
    norm(`${block}.ln1`);
    norm(`${block}.ln2`);
    for (const stream of ['r', 'w', 'k', 'v', 'a', 'g']) uniform(`${att}.x_${stream}`, [1, 1, width], 0, 1);
    for (const name of ['receptance', 'key', 'value', 'output']) {
      normal(`${att}.${name}.weight`, [width, width], width ** -0.5);
    }
    lora(`${att}.w`, ranks.w, true);
    lora(`${att}.a`, ranks.a, true);
    lora(`${att}.g`, ranks.g, false);
    if (layer > 0) lora(`${att}.v`, ranks.v, true);
    uniform(`${att}.k_k`, [1, 1, width], 0.5, 1);
    uniform(`${att}.k_a`, [1, 1, width], 0.5, 1);
    normal(`${att}.r_k`, [heads, headSize], 0.2);
    norm(`${att}.ln_x`);
    uniform(`${ffnName}.x_k`, [1, 1, width], 0, 1);
    normal(`${ffnName}.key.weight`, [ffn, width], width ** -0.5);
    normal(`${ffnName}.value.weight`, [width, ffn], ffn ** -0.5);
  }
  norm('ln_out');
  normal('head.weight', [vocabulary, width], 2 * width ** -0.5);
  return memorySource(tensors);
}
