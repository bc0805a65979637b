import type { Corpus } from './corpus.ts';
import type { Predictions } from './predict.ts';

/** How well a model foresaw a corpus that it was not trained on. */
export interface Score {
  /** Mean cross-entropy of the tokens of answers, in nats. */
  readonly loss: number;
  /** Share of the answers of which every token was held likeliest: what greedy decoding would have written. */
  readonly exact: number;
  /** Share of such tokens among those of answers. */
  readonly tokens: number;
  readonly answers: number;
  /** Share of answers that a guess gets right. */
  readonly chance: number;
}

/** @param predictions row t is of what follows token t */
export function scoreOf({ tokens: said, answers: counted }: Corpus, { next, losses }: Predictions): Score {
  let [exact, right, tokens, loss] = [0, 0, 0, 0];
  for (const { start, end } of counted) {
    let own = 0;
    for (let place = start; place < end; place++) {
      if (next[place - 1] === said[place]) own++;
      loss += losses[place - 1] ?? Number.NaN;
    }
    tokens += end - start;
    right += own;
    if (own === end - start) exact++;
  }
  const mean = (sum: number, count: number): number => (count === 0 ? 0 : sum / count);
  return {
    loss: mean(loss, tokens),
    exact: mean(exact, counted.length),
    tokens: mean(right, tokens),
    answers: counted.length,
    chance: mean(
      counted.reduce((sum, { chance }) => sum + chance, 0),
      counted.length,
    ),
  };
}
