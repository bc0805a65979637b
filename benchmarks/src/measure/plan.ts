import type { MeasurementName } from '../report/report.ts';
import type { WeightName } from '../runner/protocol.ts';

/** What a run is asked to measure. */
export interface Settings {
  readonly models: readonly string[];
  readonly seed: number;
  /** Undefined: as the model is stored. */
  readonly weights: readonly (WeightName | undefined)[];
  readonly backends: readonly string[];
  readonly threads: readonly number[];
  readonly peers: readonly string[];
  readonly peersFolder: string;
  /** Where files for peers are kept. */
  readonly cache: string;
  readonly measures: ReadonlySet<MeasurementName>;
  readonly repeats: number;
  /** Tokens of a sample of decoding. */
  readonly tokens: number;
  readonly prompts: readonly number[];
  readonly sequences: readonly number[];
  readonly contexts: readonly number[];
  readonly signal: AbortSignal;
  /** Told what is going on. */
  status(text: string): void;
}
