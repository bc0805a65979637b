import type { AbortSignalLike } from '@receptance/core';
import { ReceptanceError } from '@receptance/core';
import { MOST_STEPS } from './pace.ts';
import { type Choice, type ChoiceOptions, checkChoice } from './sampling.ts';
import { checkTokens, type Prompt, tokensOf, type Vocabulary } from './tokens.ts';

export interface GenerateOptions extends ChoiceOptions {
  /** Appended to the text first. */
  readonly prompt?: Prompt | undefined;
  /** Whole number ≥ 0, or Infinity. */
  readonly maxTokens: number;
  /** Tokens that end the text. By default the tokenizer's end of text; none for a model without a tokenizer. */
  readonly stopTokens?: readonly number[] | undefined;
  /** Aborting makes the iterator throw the signal's reason; the session stays at the tokens given out. */
  readonly signal?: AbortSignalLike | undefined;
  /**
   * Tokens made on the device at a time, 1 to 64. By default one at first and then as many as keep the text streaming.
   * It changes speed, never the text.
   */
  readonly stepsPerRun?: number | undefined;
}

/** Options checked. */
export interface Generation {
  readonly prompt: readonly number[];
  readonly maxTokens: number;
  readonly choice: Choice;
  readonly stop: ReadonlySet<number>;
  readonly signal: AbortSignalLike | undefined;
  readonly stepsPerRun: number | undefined;
}

/** @throws ReceptanceError `BAD_OPTION`, `BAD_SAMPLING`, `TOKEN_OUT_OF_RANGE`, `NO_TOKENIZER` */
export function checkGenerate(options: GenerateOptions, vocabulary: Vocabulary): Generation {
  const { prompt = [], maxTokens, stopTokens, signal, stepsPerRun } = options;
  if (!(maxTokens >= 0) || (!Number.isSafeInteger(maxTokens) && maxTokens !== Number.POSITIVE_INFINITY)) {
    throw badOption(`maxTokens is ${maxTokens}`, 'it must be a whole number, 0 or more, or Infinity');
  }
  if (stepsPerRun !== undefined && !(Number.isInteger(stepsPerRun) && stepsPerRun >= 1 && stepsPerRun <= MOST_STEPS)) {
    throw badOption(`stepsPerRun is ${stepsPerRun}`, `it must be a whole number from 1 to ${MOST_STEPS}`);
  }
  const endOfText = vocabulary.tokenizer?.endOfText;
  const stop = checkTokens(stopTokens ?? (endOfText === undefined ? [] : [endOfText]), vocabulary.size);
  const choice = checkChoice(options);
  return { prompt: tokensOf(prompt, vocabulary), maxTokens, choice, stop: new Set(stop), signal, stepsPerRun };
}

export function badOption(message: string, hint: string): ReceptanceError {
  return new ReceptanceError('BAD_OPTION', message, { hint });
}
