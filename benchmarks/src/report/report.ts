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
  /** What could not be measured, and why. */
  readonly skipped: readonly { readonly id: string; readonly reason: string }[];
}

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
export interface Entry {
  /** `<model>/<weights>/<program>/<threads>` */
  readonly id: string;
  readonly model: string;
  readonly weights: string;
  /** A backend, or a peer. */
  readonly program: string;
  readonly isPeer: boolean;
  readonly adapter: string;
  readonly threads: number;
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
  | 'load'
  | 'peakMemory';

export function measurementOf(entry: Entry, name: MeasurementName, at?: number): Measurement | undefined {
  return entry.measurements.find((found) => found.name === name && found.at === at);
}
