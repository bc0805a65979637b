import type { Backend, BackendUnavailableError, ProgressListener, WeightSource } from '@receptance/core';
import { ReceptanceError } from '@receptance/core';
import type { LoraOptions } from './adapt/lora.ts';
import { ORDERS, type Order } from './data/batches.ts';
import type { TokenSource } from './data/token-source.ts';
import type { AdamOptions } from './graph/adamw.ts';
import { OPTIMISERS, type Optimiser } from './graph/step.ts';
import { completeSchedule, type Schedule } from './schedule.ts';
import type { BaselineConfig } from './weights/baseline.ts';
import type { ModelConfig } from './weights/config.ts';

/** A stop of training as `saved()` gives it: an open checkpoint. */
export interface SavedTraining extends WeightSource {
  readonly metadata: Readonly<Record<string, string>>;
}

export interface TrainerOptions {
  /** `wasm()`, `webgpu()`, `reference()` …; of a list the first that opens. */
  readonly backend: Backend | readonly Backend[];
  /** Hears why a backend of a list did not open. */
  readonly onUnavailable?: ((error: BackendUnavailableError) => void) | undefined;
  /**
   * A size, for an untrained model; or the weights of one to train further: an open checkpoint. A baseline is made to be compared
   * with: it is trained, measured and saved alike, but nothing else runs it.
   */
  readonly model: ModelConfig | BaselineConfig | WeightSource;
  /** What is learned. */
  readonly data: TokenSource;
  /** Steps of the whole schedule. */
  readonly steps: number;
  /** Texts in a batch. Default 8. */
  readonly sequences?: number | undefined;
  /** Tokens of each. Default 256. */
  readonly length?: number | undefined;
  /** Batches whose gradients make one step. Default 1. */
  readonly accumulate?: number | undefined;
  readonly schedule?: Partial<Schedule> | undefined;
  /** What the matrices inside the blocks learn by; all else learns by AdamW. Default `adamw`. */
  readonly optimiser?: Optimiser | undefined;
  /** Default β₁ 0.9, β₂ 0.99, ε 1e-18, as the official trainer of RWKV-7. */
  readonly adam?: Partial<AdamOptions> | undefined;
  /** Of matrices named `.weight`. Default 0.1. */
  readonly weightDecay?: number | undefined;
  /** The largest norm of all gradients together. Default 1. */
  readonly clip?: number | undefined;
  /** Weight of L2Wrap. Default 1e-4; 0 for none. */
  readonly l2Wrap?: number | undefined;
  /** Decides the first weights and the order of the data. Default 0. */
  readonly seed?: number | undefined;
  /**
   * `shuffled` windows of the data, each from its own start, or `aligned` ones, which begin at multiples of `length`; or
   * `stream`: S long texts read on from step to step with their states carried (truncated backpropagation through time).
   * Default `shuffled`.
   */
  readonly order?: Order | undefined;
  /** All weights; adapters; or the initial state alone. Default `full`. */
  readonly train?: 'full' | 'state' | { readonly lora: LoraOptions } | undefined;
  /** Of the group norm, where it is not 64e-5. */
  readonly groupNormEps?: number | undefined;
  /** Where an earlier run stopped: goes on from there, bit for bit on the same backend. */
  readonly resume?: SavedTraining | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ProgressListener | undefined;
}

/** Options with their defaults, checked. */
export interface Settings {
  readonly steps: number;
  readonly sequences: number;
  readonly length: number;
  readonly accumulate: number;
  readonly schedule: Schedule;
  readonly optimiser: Optimiser;
  readonly adam: AdamOptions;
  readonly weightDecay: number;
  readonly clip: number;
  readonly l2Wrap: number;
  readonly seed: number;
  readonly order: Order;
}

/** @throws ReceptanceError `BAD_OPTION` */
export function settingsOf(options: TrainerOptions): Settings {
  const { steps, sequences = 8, length = 256, accumulate = 1, weightDecay = 0.1, clip = 1, l2Wrap = 1e-4 } = options;
  const { seed = 0, order = 'shuffled', optimiser = 'adamw' } = options;
  const adam = { beta1: 0.9, beta2: 0.99, epsilon: 1e-18, ...options.adam };
  for (const [name, value] of Object.entries({ steps, sequences, length, accumulate })) {
    if (!Number.isSafeInteger(value) || value < 1) throw badOption(name, value, 'a whole number ≥ 1');
  }
  for (const [name, value] of Object.entries({ weightDecay, l2Wrap })) {
    if (!(value >= 0 && Number.isFinite(value))) throw badOption(name, value, 'a number ≥ 0');
  }
  for (const [name, value] of Object.entries({ clip, epsilon: adam.epsilon })) {
    if (!(value > 0 && Number.isFinite(value))) throw badOption(name, value, 'a number above 0');
  }
  for (const [name, value] of Object.entries({ beta1: adam.beta1, beta2: adam.beta2 })) {
    if (!(value >= 0 && value < 1)) throw badOption(name, value, 'a number from 0 to below 1');
  }
  if (!Number.isSafeInteger(seed) || seed < 0) throw badOption('seed', seed, 'a whole number from 0 to 2^53 - 1');
  if (!ORDERS.includes(order)) throw badOption('order', order, `one of ${ORDERS.join(', ')}`);
  if (!OPTIMISERS.includes(optimiser)) throw badOption('optimiser', optimiser, OPTIMISERS.join(' or '));
  const schedule = completeSchedule(options.schedule);
  return { steps, sequences, length, accumulate, schedule, optimiser, adam, weightDecay, clip, l2Wrap, seed, order };
}

function badOption(name: string, value: unknown, wanted: string): ReceptanceError {
  return new ReceptanceError('BAD_OPTION', `${name} is ${value}`, { hint: `it must be ${wanted}` });
}
