import { ReceptanceError } from '@receptance/core';
import { mix, permuted } from './permutation.ts';
import type { TokenSource } from './token-source.ts';

/** What a graph is given: S texts of T tokens each, one after the other. */
export interface Batch {
  readonly tokens: Int32Array;
  /** The tokens that follow; −1 where nothing is to be foreseen. */
  readonly targets: Int32Array;
  /** 1 for each text that does not go on from the batch before. */
  readonly fresh: Float32Array;
  /** Targets that count. */
  readonly counted: number;
}

export const ORDERS = ['shuffled', 'aligned', 'stream'] as const;
export type Order = (typeof ORDERS)[number];

export interface BatchOptions {
  readonly data: TokenSource;
  /** S */
  readonly sequences: number;
  /** T */
  readonly length: number;
  readonly seed: number;
  /**
   * `shuffled`: every window of the data once per epoch in an order of the seed, the borders of the windows elsewhere in
   * every epoch. `aligned`: the same with borders at multiples of T, for data made of texts as long as that. `stream`: S
   * places of the data read on from batch to batch, for states that are carried.
   */
  readonly order: Order;
  /** Ids are below this. */
  readonly vocabularySize: number;
}

/** The batches of a run, each known by its number alone: a run that resumes needs nothing but how far it was. */
export class Batches {
  readonly #options: BatchOptions;
  /** Batches until all data were seen. */
  readonly perEpoch: number;

  /** @throws ReceptanceError `DATA_TOO_SHORT` */
  constructor(options: BatchOptions) {
    this.#options = options;
    const { data, sequences, length, order } = options;
    const needed = order === 'stream' ? sequences * length + 1 : length + 1;
    if (data.length < needed) {
      throw new ReceptanceError('DATA_TOO_SHORT', `${data.length} tokens of data; at least ${needed} are needed`, {
        hint: 'give more text, or shorter sequences',
      });
    }
    this.perEpoch = order === 'stream' ? this.#streamSteps() : Math.max(1, Math.floor(this.#windows() / sequences));
  }

  /** @throws ReceptanceError `TOKEN_OUT_OF_RANGE`, and what reading the data throws */
  async batch(index: number): Promise<Batch> {
    const { data, sequences, length, vocabularySize } = this.#options;
    const tokens = new Int32Array(sequences * length);
    const targets = new Int32Array(sequences * length);
    const fresh = new Float32Array(sequences);
    let counted = 0;
    for (let s = 0; s < sequences; s++) {
      const place = this.#place(index, s);
      fresh[s] = place.fresh ? 1 : 0;
      const [window, weights] = await readWindow(data, place.start, place.start + length + 1, vocabularySize);
      for (let t = 0; t < length; t++) {
        tokens[s * length + t] = window[t] ?? 0;
        const counts = weights === undefined || weights[t + 1] === 1;
        targets[s * length + t] = counts ? (window[t + 1] ?? 0) : -1;
        if (counts) counted++;
      }
    }
    return { tokens, targets, fresh, counted };
  }

  #place(index: number, s: number): { readonly start: number; readonly fresh: boolean } {
    const { data, sequences, length, seed, order } = this.#options;
    if (order === 'stream') {
      const steps = this.#streamSteps();
      const step = index % steps;
      return { start: s * steps * length + step * length, fresh: step === 0 };
    }
    const windows = this.#windows();
    const number = index * sequences + s;
    const epoch = Math.floor(number / windows);
    const key = mix((seed >>> 0) ^ mix(Math.floor(seed / 2 ** 32) + mix(epoch)));
    const spare = data.length - 1 - windows * length;
    const offset = order === 'aligned' ? 0 : key % (spare + 1);
    return { start: offset + permuted(number % windows, windows, key) * length, fresh: true };
  }

  /** Windows of an epoch: as many as fit wherever the first may begin. */
  #windows(): number {
    const { data, length, order } = this.#options;
    const most = order === 'aligned' ? data.length - 1 : data.length - length;
    return Math.max(1, Math.floor(most / length));
  }

  #streamSteps(): number {
    const { data, sequences, length } = this.#options;
    return Math.floor((data.length - 1) / sequences / length);
  }
}

/** The tokens in order, for evaluation: every one but the first is foreseen once, each text of T from its own start. */
export async function* consecutive(
  { data, sequences, length, vocabularySize }: Omit<BatchOptions, 'seed' | 'order'>,
  most: number,
): AsyncGenerator<Batch, void, undefined> {
  const end = Math.min(data.length, most + 1);
  const size = sequences * length;
  for (let at = 0; at + 1 < end; at += size) {
    const [window, weights] = await readWindow(data, at, Math.min(end, at + size + 1), vocabularySize);
    const there = window.length - 1;
    const counts = (i: number): boolean => i < there && (weights === undefined || weights[i + 1] === 1);
    const tokens = Int32Array.from({ length: size }, (_, i) => (i < there ? (window[i] ?? 0) : 0));
    const targets = Int32Array.from({ length: size }, (_, i) => (counts(i) ? (window[i + 1] ?? 0) : -1));
    const counted = targets.reduce((sum, target) => sum + (target < 0 ? 0 : 1), 0);
    yield { tokens, targets, fresh: new Float32Array(sequences).fill(1), counted };
  }
}

/** Tokens, and which of them count where the source says so. @throws ReceptanceError `TOKEN_OUT_OF_RANGE` */
async function readWindow(
  data: TokenSource,
  start: number,
  end: number,
  vocabularySize: number,
): Promise<readonly [ArrayLike<number>, ArrayLike<number> | undefined]> {
  const tokens = await data.read(start, end);
  // As they were read: in an Int32Array 0xffffffff is −1, which would leave a target out.
  checkTokens(tokens, vocabularySize);
  return [tokens, await data.counts?.(start, end)];
}

function checkTokens(tokens: ArrayLike<number>, vocabularySize: number): void {
  for (let i = 0; i < tokens.length; i++) {
    const token = tokens[i] ?? 0;
    if (token >= 0 && token < vocabularySize) continue;
    throw new ReceptanceError('TOKEN_OUT_OF_RANGE', `the data hold token ${token}; the model knows ${vocabularySize}`, {
      hint: 'tokenise the data with the tokenizer of this model',
    });
  }
}
