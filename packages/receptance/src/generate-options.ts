import type { AbortSignalLike } from '@receptance/core';
import { ReceptanceError } from '@receptance/core';
import type { HostWork } from './host-choice.ts';
import { MOST_STEPS } from './pace.ts';
import { type Bias, biasProcessor, type LogitsProcessor } from './processors.ts';
import { type Choice, type ChoiceOptions, checkChoice } from './sampling.ts';
import { checkTokens, type Prompt, tokensOf, type Vocabulary } from './tokens.ts';

const MOST_LOGPROBS = 100;

export interface GenerateOptions extends ChoiceOptions {
  /** Appended to the text first. */
  readonly prompt?: Prompt | undefined;
  /** Whole number ≥ 0, or Infinity. */
  readonly maxTokens: number;
  /** Tokens that end the text. By default the tokenizer's end of text; none for a model without a tokenizer. */
  readonly stopTokens?: readonly number[] | undefined;
  /**
   * Texts that end the text: neither they nor what may be the beginning of one is given out. The session then ends with
   * the token that completes the stop string, so that the next turn of a chat can follow.
   */
  readonly stop?: readonly string[] | undefined;
  /**
   * Give with each token its own log probability and those of this many likeliest tokens, 0 to 100.
   * This, `bias` and `processors` bring the logits of every token to the host: slower than without.
   */
  readonly logprobs?: number | undefined;
  /** Added to the logits before `processors`. */
  readonly bias?: Bias | undefined;
  /** Work on the logits, one after the other, before penalties and sampling. */
  readonly processors?: readonly LogitsProcessor[] | undefined;
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
  /** The prompt for a text that is within a turn of a chat. */
  readonly promptWithinTurn?: readonly number[];
  readonly maxTokens: number;
  readonly choice: Choice;
  readonly stopTokens: ReadonlySet<number>;
  readonly stop: readonly string[];
  /** Where the logits must come to the host. */
  readonly work: HostWork | undefined;
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
  const stopping = checkTokens(stopTokens ?? (endOfText === undefined ? [] : [endOfText]), vocabulary.size);
  return {
    choice: checkChoice(options),
    stop: checkStop(options.stop ?? [], vocabulary),
    work: checkWork(options, vocabulary),
    prompt: tokensOf(prompt, vocabulary),
    stopTokens: new Set(stopping),
    ...{ maxTokens, signal, stepsPerRun },
  };
}

function checkStop(stop: readonly string[], vocabulary: Vocabulary): readonly string[] {
  if (!Array.isArray(stop) || !stop.every((text) => typeof text === 'string' && text !== '')) {
    throw badOption('a stop string is empty or no string', 'give an array of texts: ["\\n\\n"]');
  }
  if (stop.length > 0) tokensOf('', vocabulary);
  return [...stop];
}

function checkWork(
  { logprobs, bias = {}, processors = [] }: GenerateOptions,
  { size }: Vocabulary,
): HostWork | undefined {
  if (logprobs !== undefined && !(Number.isInteger(logprobs) && logprobs >= 0 && logprobs <= MOST_LOGPROBS)) {
    throw badOption(`logprobs is ${logprobs}`, `it must be a whole number from 0 to ${MOST_LOGPROBS}`);
  }
  if (!Array.isArray(processors) || !processors.every((processor) => typeof processor === 'function')) {
    throw badOption('a processor is no function', 'give an array of functions (logits, context) => void');
  }
  const first = biasProcessor(bias, size);
  const all = first === undefined ? [...processors] : [first, ...processors];
  return all.length === 0 && logprobs === undefined ? undefined : { processors: all, logprobs };
}

export function badOption(message: string, hint: string): ReceptanceError {
  return new ReceptanceError('BAD_OPTION', message, { hint });
}
