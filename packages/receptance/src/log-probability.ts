import type { HostArray } from '@receptance/core';

/** Natural logarithm of the probability that softmax gives one of a row of logits. */
export function logProbability(logits: HostArray, token: number): number {
  let most = Number.NEGATIVE_INFINITY;
  for (const logit of logits) most = Math.max(most, logit);
  let sum = 0;
  for (const logit of logits) sum += Math.exp(logit - most);
  return (logits[token] ?? Number.NaN) - most - Math.log(sum);
}
