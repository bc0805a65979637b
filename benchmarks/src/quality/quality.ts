import type { Backend, WeightSource } from '@receptance/core';
import { load, type Model } from 'receptance';
import type { QualityFigures } from '../report/report.ts';
import type { WeightName } from '../runner/protocol.ts';

/**
 * What weight types cost in quality, on a text that the model itself wrote with its weights in f32 (so every model has one): the
 * divergence of what is expected after each token, and the perplexity of the text. Its perplexity in f32 is that of a text it draws.
 */
export async function measureQuality(
  backend: Backend,
  source: WeightSource,
  weights: readonly WeightName[],
  tokens: number,
): Promise<QualityFigures[]> {
  const exact = await load(source, { backend, weights: 'f32', maxSequences: 1 });
  const text = await drawn(exact, tokens);
  const wanted = await exact.logits(text);
  await exact.close();
  const figures: QualityFigures[] = [];
  for (const type of weights) {
    const model = await load(source, { backend, weights: type, maxSequences: 1 });
    const got = await model.logits(text);
    await model.close();
    figures.push({ weights: type, tokens, ...compared(text, wanted.data, got.data, wanted.vocabularySize) });
  }
  return figures;
}

async function drawn(model: Model, tokens: number): Promise<number[]> {
  const session = await model.session();
  const text = [1];
  const options = { prompt: text.slice(), maxTokens: tokens - 1, seed: 1, stopTokens: [] };
  for await (const { token } of session.generate(options)) text.push(token);
  await session.close();
  return text;
}

type Logits = Float32Array | Float64Array;

/** Kullback-Leibler divergence KL(f32 ‖ type) in nats, mean and largest; perplexities; how often the likeliest token is the same. */
function compared(text: readonly number[], wanted: Logits, got: Logits, vocabularySize: number) {
  const sums = { kl: 0, worst: 0, before: 0, after: 0, same: 0 };
  const rows = text.length;
  for (let row = 0; row < rows; row++) {
    const [p, q] = [wanted, got].map((logits) =>
      logProbabilities(logits.subarray(row * vocabularySize, (row + 1) * vocabularySize)),
    );
    if (p === undefined || q === undefined) continue;
    const kl = p.reduce((sum, lp, i) => sum + Math.exp(lp) * (lp - (q[i] ?? 0)), 0);
    sums.kl += kl;
    sums.worst = Math.max(sums.worst, kl);
    if (likeliest(p) === likeliest(q)) sums.same++;
    const next = text[row + 1];
    if (next !== undefined) {
      sums.before -= p[next] ?? 0;
      sums.after -= q[next] ?? 0;
    }
  }
  return {
    kl: sums.kl / rows,
    worstKl: sums.worst,
    perplexity: Math.exp(sums.after / (rows - 1)),
    exactPerplexity: Math.exp(sums.before / (rows - 1)),
    sameLikeliest: sums.same / rows,
  };
}

function logProbabilities(logits: Logits): Float64Array {
  let largest = Number.NEGATIVE_INFINITY;
  for (const x of logits) largest = Math.max(largest, x);
  let sum = 0;
  for (const x of logits) sum += Math.exp(x - largest);
  const shift = largest + Math.log(sum);
  return Float64Array.from(logits, (x) => x - shift);
}

function likeliest(logProbability: Float64Array): number {
  return logProbability.indexOf(logProbability.reduce((most, x) => Math.max(most, x), Number.NEGATIVE_INFINITY));
}
