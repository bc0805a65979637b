import { ReceptanceError } from '@receptance/core';
import { badOption } from './generate-options.ts';
import { checkTokens } from './tokens.ts';

/** Where a text stands when its next token is chosen. */
export interface ProcessorContext {
  /** The tokens that this generation has made so far. */
  readonly tokens: readonly number[];
  /** Tokens of the whole text. */
  readonly length: number;
}

/**
 * Works on the logits of the next token in place, before penalties and sampling: −Infinity forbids a token.
 * NaN, Infinity, or nothing but −Infinity is refused with `BAD_LOGITS`.
 */
export type LogitsProcessor = (logits: Float32Array, context: ProcessorContext) => void;

/** What is added to the logits of tokens, by their ids; −Infinity forbids one. */
export type Bias = ReadonlyMap<number, number> | Readonly<Record<number, number>>;

/**
 * Locally typical sampling (Meister and others, 2022), as a processor. With p = softmax(logits), s = −ln p and the entropy
 * H = Σ p·s, tokens are taken in order of |s − H| until their p add up to `mass`; the others are forbidden.
 * @param mass in (0, 1]; 1 keeps all
 * @throws ReceptanceError `BAD_SAMPLING`
 */
export function typical(mass: number): LogitsProcessor {
  if (!(mass > 0 && mass <= 1)) {
    throw new ReceptanceError('BAD_SAMPLING', `the mass of typical sampling is ${mass}`, {
      hint: 'it must be more than 0 and at most 1',
    });
  }
  return (logits) => {
    if (mass === 1) return;
    const most = logits.reduce((a, b) => Math.max(a, b));
    const total = logits.reduce((sum, logit) => sum + Math.exp(logit - most), 0);
    const surprisals = Float64Array.from(logits, (logit) => most + Math.log(total) - logit);
    const probabilities = surprisals.map((surprisal) => Math.exp(-surprisal));
    const entropy = surprisals.reduce((sum, s, token) => sum + (s < Infinity ? (probabilities[token] ?? 0) * s : 0), 0);
    const strangeness = surprisals.map((surprisal) => Math.abs(surprisal - entropy));
    const order = Array.from(logits.keys()).sort((a, b) => compare(strangeness[a] ?? 0, strangeness[b] ?? 0) || a - b);
    let sum = 0;
    for (const token of order) {
      if (sum >= mass) logits[token] = Number.NEGATIVE_INFINITY;
      sum += probabilities[token] ?? 0;
    }
  };
}

/** @throws ReceptanceError `TOKEN_OUT_OF_RANGE`, `BAD_OPTION` */
export function biasProcessor(bias: Bias, vocabularySize: number): LogitsProcessor | undefined {
  const entries: [number, number][] =
    bias instanceof Map ? [...bias] : Object.entries(bias).map(([token, value]) => [Number(token), value]);
  checkTokens(
    entries.map(([token]) => token),
    vocabularySize,
  );
  for (const [token, value] of entries) {
    if (value === Number.NEGATIVE_INFINITY || Number.isFinite(Math.fround(value))) continue;
    throw badOption(`the bias of token ${token} is ${value}`, 'it must be a number, or -Infinity to forbid the token');
  }
  if (entries.length === 0) return undefined;
  return (logits) => {
    for (const [token, value] of entries) logits[token] = (logits[token] ?? 0) + value;
  };
}

/** Infinities are equal, not NaN apart. */
function compare(a: number, b: number): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
