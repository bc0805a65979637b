import type { OpDefinition } from '../ir/definition.ts';

export type SampleSignature = {
  inputs: 'logits' | 'parameters' | 'counts' | 'u';
  optional: never;
  outputs: 'token' | 'counts';
  attrs: Record<never, never>;
};

/** The columns of `sample`'s `parameters`, in order, with the value that switches each off. */
export const SAMPLE_PARAMETERS = {
  temperature: 1,
  topK: 0,
  topP: 1,
  minP: 0,
  presencePenalty: 0,
  frequencyPenalty: 0,
  repetitionPenalty: 1,
  penaltyDecay: 1,
} as const;

export const sample: OpDefinition<SampleSignature> = {
  kind: 'primitive',
  summary: 'Draws the next token of each row by inverse distribution function from a uniform number of the host.',
  formula: [
    'where counts[v] > 0: l[v] = logits[v] / repetitionPenalty if positive, · repetitionPenalty if not;',
    '  then l[v] −= presencePenalty + frequencyPenalty · counts[v];  elsewhere l = logits',
    'temperature 0: token = argmax l (the first at a tie)',
    'p = softmax(l);  keep v where p[v] ≥ the larger of three thresholds:',
    '  minP · max p;  the topK-th largest p (topK ≥ 1);  the largest τ with Σ {p : p ≥ τ} ≥ topP (topP < 1)',
    'q[v] = (p[v] / max p)^{1/temperature} where kept, else 0;  Q = Σ q',
    'token = the least v with q[0] + … + q[v] > u · Q',
    'counts′ = penaltyDecay · counts, then + 1 at token',
  ].join('\n'),
  source: 'the order of the official sampler: top-p on untempered probabilities, then top-k, then temperature',
  inputs: {
    logits: { shape: 'R V', doc: 'one row a sequence' },
    parameters: { shape: 'R 8', doc: `columns ${Object.keys(SAMPLE_PARAMETERS).join(', ')}` },
    counts: { shape: 'R V', doc: 'decayed number of times each token was drawn' },
    u: { shape: 'R', doc: 'uniform in [0, 1), from the host’s seeded generator' },
  },
  outputs: {
    token: { shape: 'R', dtype: 'i32', doc: 'token ids' },
    counts: { shape: 'R V', doc: 'the new counts' },
  },
  constraints: [
    'Parameters are finite; temperature ≥ 0; topK 0 is off; repetitionPenalty > 0. Callers check.',
    'Equal probabilities at a threshold are all kept.',
    'A token is always drawn: the largest probability is never dropped, and when rounding exhausts the sum the last kept token is taken.',
  ],
  flops: (_, __, { counts }) => 20 * counts,
};
