import { type HostArray, ReceptanceError, SAMPLE_PARAMETERS } from '@receptance/core';
import type { Engine } from './engine.ts';
import { logProbability } from './log-probability.ts';
import type { LogitsProcessor, ProcessorContext } from './processors.ts';
import type { Choice } from './sampling.ts';

export interface TokenLogprob {
  readonly token: number;
  /** Natural logarithm of its probability. */
  readonly logprob: number;
}

/** What the model itself expected, before bias, processors, penalties and sampling. */
export interface TokenLogprobs {
  /** Of the token that was chosen. */
  readonly chosen: number;
  /** As many as were asked for, the likeliest first. */
  readonly likeliest: readonly TokenLogprob[];
}

/** What must come to the host before a token is chosen. */
export interface HostWork {
  readonly processors: readonly LogitsProcessor[];
  /** How many of the likeliest tokens are wanted; none at all when left out. */
  readonly logprobs: number | undefined;
}

export interface HostChoiceParts {
  readonly engine: Engine;
  readonly slot: number;
  readonly choice: Choice;
  readonly u: number;
  readonly work: HostWork;
  readonly context: ProcessorContext;
}

export interface HostChosen {
  readonly token: number;
  readonly logprobs: TokenLogprobs | undefined;
}

/** A forbidden token for a device, which may not know infinities. */
const FORBIDDEN = -1e30;

/** Keeps tokens of probability 0 from being drawn, and changes nothing that could be seen otherwise. */
const LEAST_MIN_P = 1e-30;

const MIN_P = Object.keys(SAMPLE_PARAMETERS).indexOf('minP');

/**
 * The next token by logits that came to the host.
 * @throws ReceptanceError `BAD_LOGITS` for what a processor has made, `BAD_RESULT`
 */
export async function chooseOnHost(
  raw: HostArray,
  { engine, slot, choice, u, work, context }: HostChoiceParts,
): Promise<HostChosen> {
  if (raw.some(Number.isNaN)) {
    throw new ReceptanceError('BAD_RESULT', 'the logits of the device are not numbers', {
      hint: 'the weights are damaged or its driver is at fault: try another backend',
    });
  }
  const logits = work.processors.length > 0 ? processed(raw, work.processors, context) : raw;
  const token = choice.kind === 'greedy' ? argmax(logits) : await engine.draw({ slot, logits, u, ...choiceOf(choice) });
  return { token, logprobs: work.logprobs === undefined ? undefined : logprobsOf(raw, token, work.logprobs) };
}

function choiceOf({ settings }: Extract<Choice, { kind: 'sample' }>): { readonly settings: Float32Array } {
  return { settings: settings.map((value, i) => (i === MIN_P ? Math.max(value, LEAST_MIN_P) : value)) };
}

function processed(raw: HostArray, processors: readonly LogitsProcessor[], context: ProcessorContext): Float32Array {
  const logits = Float32Array.from(raw);
  for (const processor of processors) processor(logits, context);
  const bad = logits.findIndex((logit) => Number.isNaN(logit) || logit === Number.POSITIVE_INFINITY);
  if (bad >= 0) throw badLogits(`the logit of token ${bad} is ${logits[bad]}`);
  if (!logits.some((logit) => logit > FORBIDDEN)) throw badLogits('they forbid every token');
  return logits.map((logit) => Math.max(logit, FORBIDDEN));
}

function badLogits(why: string): ReceptanceError {
  return new ReceptanceError('BAD_LOGITS', `the processors leave logits that nothing can be chosen by: ${why}`, {
    hint: 'a processor leaves numbers, and -Infinity for tokens that it forbids, but not for all of them',
  });
}

/** The first at a tie. */
function argmax(logits: HostArray): number {
  let best = 0;
  for (let token = 1; token < logits.length; token++) {
    if ((logits[token] ?? 0) > (logits[best] ?? 0)) best = token;
  }
  return best;
}

function logprobsOf(logits: HostArray, token: number, count: number): TokenLogprobs {
  const chosen = logProbability(logits, token);
  const offset = chosen - (logits[token] ?? 0);
  const likeliest = largest(logits, count).map((each) => ({ token: each, logprob: (logits[each] ?? 0) + offset }));
  return { chosen, likeliest };
}

/** The tokens of the largest logits, the first at a tie before others: in one pass, as a vocabulary may be large. */
function largest(logits: HostArray, count: number): number[] {
  const found: number[] = [];
  let least = Number.NEGATIVE_INFINITY;
  for (let token = 0; token < logits.length && count > 0; token++) {
    const logit = logits[token] ?? 0;
    if (found.length === count && logit <= least) continue;
    const at = found.findIndex((other) => (logits[other] ?? 0) < logit);
    found.splice(at < 0 ? found.length : at, 0, token);
    if (found.length > count) found.pop();
    least = logits[found.at(-1) ?? 0] ?? 0;
  }
  return found;
}
