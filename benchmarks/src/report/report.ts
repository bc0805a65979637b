import type { Cost } from '@receptance/core';
import type { Roofline } from '../roofline/roofline.ts';

/** What a run measured. The JSON that is written, and that `compare` and the page read: see `schema.json`. */
export interface Report {
  readonly schema: 'receptance-benchmark/1';
  /** When it began, ISO 8601. */
  readonly date: string;
  readonly machine: Machine;
  /** Best of all probes between the measurements. */
  readonly roofline: readonly Roofline[];
  readonly entries: readonly Entry[];
  readonly ops: readonly OpReport[];
  readonly baselines: readonly BaselineReport[];
  readonly quality: readonly QualityReport[];
  /** What could not be measured, and why. */
  readonly skipped: readonly { readonly id: string; readonly reason: string }[];
}

/** What a model and a program have in common wherever they are reported. */
export interface Subject {
  readonly model: string;
  readonly weights: string;
  /** A backend, or a peer. */
  readonly program: string;
  readonly threads: number;
}

/** All nodes of one kind in one step of a model. */
export interface OpTime extends Cost {
  readonly op: string;
  readonly nodes: number;
  readonly milliseconds: number;
}

export interface OpTimes {
  /** Of the step. */
  readonly tokens: number;
  /** The whole step. Less than its ops together where they find what they read in the caches. */
  readonly milliseconds: number;
  readonly ops: readonly OpTime[];
}

export interface OpReport extends Subject, OpTimes {}

/** An op with the kernels of a backend, and with a contributed one; milliseconds of all nodes of a step. */
export interface OpComparison extends Cost {
  readonly op: string;
  readonly tokens: number;
  readonly nodes: number;
  readonly before: readonly number[];
  readonly after: readonly number[];
}

/** A token after a text of `context` tokens. */
export interface ContextCost {
  readonly context: number;
  readonly milliseconds: number;
  /** Of the state, or of the cache of keys and values. */
  readonly memoryBytes: number;
}

/** A transformer of the model's size, f32, on the same backend. */
export interface BaselineReport extends Subject {
  readonly costs: readonly ContextCost[];
}

export interface QualityFigures {
  readonly weights: string;
  readonly tokens: number;
  /** KL(f32 ‖ type) in nats a token: mean, and largest. */
  readonly kl: number;
  readonly worstKl: number;
  readonly perplexity: number;
  readonly exactPerplexity: number;
  /** Share of the tokens after which the likeliest token is the same. */
  readonly sameLikeliest: number;
}

export interface QualityReport extends Subject, QualityFigures {}

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryBytes: number;
  readonly platform: string;
  /** Node's or the browser's name and version. */
  readonly engine: string;
  /** Processes that were running or waiting, averaged over a minute, before and after. */
  readonly loadBefore: number;
  readonly loadAfter: number;
}

/** One program on one model. */
export interface Entry extends Subject {
  /** `<model>/<weights>/<program>/<threads>` */
  readonly id: string;
  readonly isPeer: boolean;
  readonly adapter: string;
  /** Bytes of weights that one decoded token reads: as stored, one row of the embedding. */
  readonly weightBytesPerToken: number;
  /** Floating-point operations in the matrices of the blocks for a token, and in the head for a row of logits. */
  readonly flopsPerToken: number;
  readonly flopsPerRow: number;
  /** Bytes of weights that the program holds. More than stored where it has no kernels for the type. */
  readonly heldBytes?: number;
  readonly storedBytes: number;
  readonly stateBytes?: number;
  readonly measurements: readonly Measurement[];
}

export interface Measurement {
  readonly name: MeasurementName;
  /** Of what size: tokens of a prompt or a context, sequences of a batch. */
  readonly at?: number;
  readonly unit: 'tokens/s' | 'ms' | 'bytes';
  readonly samples: readonly number[];
}

export type MeasurementName =
  /** Tokens a second, the program making as many at a time as it does by itself. */
  | 'decode'
  /** From one token to the next, each brought to the host by itself. */
  | 'tokenTime'
  | 'prefill'
  /** From a prompt of `at` tokens to the token after it. */
  | 'firstToken'
  /** Tokens a second of `at` sequences together. */
  | 'batch'
  /** From one token to the next after a context of `at` tokens. */
  | 'context'
  /** From a file of `at` bytes to a model that answers; and reading the same file. */
  | 'load'
  | 'fileRead'
  /** Most bytes of the process before it loaded the file, and when it had made a token. */
  | 'memoryBefore'
  | 'peakMemory';

export function measurementOf(entry: Entry, name: MeasurementName, at?: number): Measurement | undefined {
  return entry.measurements.find((found) => found.name === name && found.at === at);
}
