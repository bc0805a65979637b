import type { WeightName } from '../runner/protocol.ts';

export const MEASURES = [
  'decode',
  'tokenTime',
  'prefill',
  'firstToken',
  'batch',
  'context',
  'load',
  'ops',
  'quality',
] as const;
export type Measure = (typeof MEASURES)[number];

/** What is measured on which programs and models. */
export interface Plan {
  readonly models: readonly string[];
  /** Undefined: as the model is stored. */
  readonly weights: readonly (WeightName | undefined)[];
  readonly backends: readonly string[];
  readonly threads: readonly number[];
  readonly peers: readonly string[];
  readonly measures: ReadonlySet<Measure>;
  readonly repeats: number;
  /** Tokens of a sample of decoding. */
  readonly tokens: number;
  readonly prompts: readonly number[];
  readonly sequences: readonly number[];
  readonly contexts: readonly number[];
  /** What a sample is to take at most, in milliseconds: slow programs are given fewer tokens, and no prompts that would take longer. */
  readonly sampleMs: number;
}

/** Where a run takes place. */
export interface Surroundings {
  readonly seed: number;
  readonly peersFolder: string;
  /** Where files of weights are kept. */
  readonly cache: string;
  readonly signal: AbortSignal;
  /** Told what is going on. */
  status(text: string): void;
}

export interface Settings extends Plan, Surroundings {}
