import { ReceptanceError, SAMPLE_PARAMETERS } from '@receptance/core';
import { checkSeed, randomSeed } from './random.ts';

/**
 * How the next token is drawn, in this order: penalties, top-p and min-p and top-k on the probabilities before the
 * temperature, then the temperature. What is left out is off.
 */
export interface Sampling {
  /** ≥ 0; 0 takes the likeliest token. Default 1. */
  readonly temperature?: number;
  /** Keep the k likeliest tokens; 0 keeps all. Default 0. */
  readonly topK?: number;
  /** Keep the likeliest tokens that together reach this probability; in (0, 1]. Default 1. */
  readonly topP?: number;
  /** Keep tokens at least this fraction as likely as the likeliest; in [0, 1]. Default 0. */
  readonly minP?: number;
  /** Taken off the logit of every token that was drawn before. Default 0. */
  readonly presencePenalty?: number;
  /** Taken off the logit of a token once for every time it was drawn. Default 0. */
  readonly frequencyPenalty?: number;
  /** Divides the positive logit of a token drawn before, multiplies a negative one; > 0. Default 1. */
  readonly repetitionPenalty?: number;
  /** What the counts behind the penalties are multiplied by at each token; in [0, 1]. RWKV's own tools use 0.996. Default 1. */
  readonly penaltyDecay?: number;
}

/** The likeliest token each time, or one drawn at random by a seed. */
export interface ChoiceOptions {
  readonly greedy?: boolean | undefined;
  readonly sampling?: Sampling | undefined;
  /** Whole number ≥ 0: the same seed continues the same text in the same way. Chosen at random when left out. */
  readonly seed?: number | undefined;
}

/** Options checked: what a run needs to know. */
export type Choice =
  | { readonly kind: 'greedy' }
  | { readonly kind: 'sample'; readonly settings: Float32Array; readonly seed: number };

type Field = keyof typeof SAMPLE_PARAMETERS;

const FIELDS = Object.keys(SAMPLE_PARAMETERS) as Field[];

const RANGES: Readonly<Record<Field, { readonly holds: (value: number) => boolean; readonly range: string }>> = {
  temperature: { holds: (value) => value >= 0, range: 'at least 0' },
  topK: {
    holds: (value) => Number.isInteger(value) && value >= 0 && value <= 2 ** 24,
    range: 'a whole number, 0 or more',
  },
  topP: { holds: (value) => value > 0 && value <= 1, range: 'more than 0 and at most 1' },
  minP: { holds: (value) => value >= 0 && value <= 1, range: 'from 0 to 1' },
  presencePenalty: { holds: () => true, range: 'a number' },
  frequencyPenalty: { holds: () => true, range: 'a number' },
  repetitionPenalty: { holds: (value) => Math.fround(value) > 0, range: 'more than 0' },
  penaltyDecay: { holds: (value) => value >= 0 && value <= 1, range: 'from 0 to 1' },
};

/**
 * What `generate` and `decode` do first: to find out that settings are wrong before a model is there.
 * @throws ReceptanceError `BAD_SAMPLING`
 */
export function checkChoice({ greedy = false, sampling, seed }: ChoiceOptions): Choice {
  if (greedy && (sampling !== undefined || seed !== undefined)) {
    throw badSampling('greedy leaves nothing to draw', 'give greedy, or sampling and a seed');
  }
  if (greedy) return { kind: 'greedy' };
  const settings = settingsOf(sampling ?? {});
  return { kind: 'sample', settings, seed: seed === undefined ? randomSeed() : checkSeed(seed) };
}

/** One row of the input `settings` of the sample graph: f32[8]. */
function settingsOf(sampling: Sampling): Float32Array {
  for (const name of Object.keys(sampling)) {
    if (!Object.hasOwn(SAMPLE_PARAMETERS, name))
      throw badSampling(`there is no setting ${name}`, `settings are ${FIELDS.join(', ')}`);
  }
  return Float32Array.from(FIELDS, (name) => {
    const value: unknown = sampling[name] ?? SAMPLE_PARAMETERS[name];
    const { holds, range } = RANGES[name];
    if (typeof value === 'number' && Number.isFinite(Math.fround(value)) && holds(value)) return value;
    throw badSampling(`${name} is ${value}`, `it must be ${range}`);
  });
}

function badSampling(message: string, hint: string): ReceptanceError {
  return new ReceptanceError('BAD_SAMPLING', message, { hint });
}
