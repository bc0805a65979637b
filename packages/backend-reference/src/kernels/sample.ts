import { SAMPLE_PARAMETERS } from '@receptance/core';
import { at, axisSize, type KernelOf, type Numbers } from '../tensor.ts';
import { firstMaximum } from './argmax.ts';

type Settings = Record<keyof typeof SAMPLE_PARAMETERS, number>;

export const sample: KernelOf<'sample'> = {
  run({ logits, parameters, counts: before, u }, { token, counts: after }) {
    const width = axisSize(logits, 1);
    for (let row = 0; row < token.data.length; row++) {
      const settings = readSettings(parameters.data, row);
      const counts = before.data.subarray(row * width, (row + 1) * width);
      const penalised = penalise(logits.data.subarray(row * width, (row + 1) * width), counts, settings);
      const drawn = draw(penalised, settings, at(u.data, row));
      token.data[row] = drawn;
      for (let v = 0; v < width; v++) {
        after.data[row * width + v] = settings.penaltyDecay * at(counts, v) + (v === drawn ? 1 : 0);
      }
    }
  },
};

function readSettings(parameters: Numbers, row: number): Settings {
  const settings: Settings = { ...SAMPLE_PARAMETERS };
  const names = Object.keys(SAMPLE_PARAMETERS) as (keyof Settings)[];
  names.forEach((name, column) => {
    settings[name] = at(parameters, row * names.length + column);
  });
  return settings;
}

function penalise(logits: Numbers, counts: Numbers, settings: Settings): Float64Array {
  return Float64Array.from(logits, (logit, v) => {
    const count = at(counts, v);
    if (count <= 0) return logit;
    const repeated = logit > 0 ? logit / settings.repetitionPenalty : logit * settings.repetitionPenalty;
    return repeated - (settings.presencePenalty + settings.frequencyPenalty * count);
  });
}

function draw(logits: Float64Array, { temperature, topK, topP, minP }: Settings, u: number): number {
  const best = firstMaximum(logits);
  if (temperature === 0) return best;
  const max = at(logits, best);
  const weights = logits.map((logit) => Math.exp(logit - max));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const p = weights.map((weight) => weight / total);

  const descending = p.toSorted((a, b) => b - a);
  const byK = topK >= 1 ? (descending[Math.floor(topK) - 1] ?? 0) : 0;
  const byP = topP < 1 ? nucleusThreshold(descending, topP) : 0;
  const threshold = Math.max(minP * at(p, best), byK, byP);

  const q = p.map((probability) => (probability >= threshold ? (probability / at(p, best)) ** (1 / temperature) : 0));
  const goal = u * q.reduce((sum, weight) => sum + weight, 0);
  let sum = 0;
  let last = best;
  for (let v = 0; v < q.length; v++) {
    if (at(p, v) < threshold) continue;
    sum += at(q, v);
    last = v;
    if (sum > goal) return v;
  }
  return last;
}

/** The largest τ such that the probabilities ≥ τ sum to topP at least; 0 when rounding keeps them below. */
function nucleusThreshold(descending: Float64Array, topP: number): number {
  let sum = 0;
  for (const probability of descending) {
    sum += probability;
    if (sum >= topP) return probability;
  }
  return 0;
}
