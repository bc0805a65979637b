import { SAMPLE_PARAMETERS } from '@receptance/core';
import { given, type LeafSpec, normal, type OpSpec, uniform } from '../spec.ts';

type Settings = Partial<Record<keyof typeof SAMPLE_PARAMETERS, number>>;

/** Every setting alone, and as a person would join them. Nine rows each, so that many places of the distribution are drawn. */
const SETTINGS: Readonly<Record<string, Settings>> = {
  plain: {},
  'temperature 0': { temperature: 0 },
  'temperature 0.3': { temperature: 0.3 },
  'temperature 2': { temperature: 2 },
  'top-k 1': { topK: 1 },
  'top-k 3': { topK: 3 },
  'top-k beyond the vocabulary': { topK: 1000 },
  'top-p 0': { topP: 0 },
  'top-p 0.3': { topP: 0.3 },
  'top-p 0.9': { topP: 0.9 },
  'min-p 0.2': { minP: 0.2 },
  'min-p 1': { minP: 1 },
  'presence penalty': { presencePenalty: 1.5 },
  'frequency penalty': { frequencyPenalty: 0.7 },
  'repetition penalty': { repetitionPenalty: 1.8 },
  'penalty decay': { penaltyDecay: 0.9 },
  'as in a chat': { temperature: 0.8, topP: 0.6, presencePenalty: 0.4, frequencyPenalty: 0.4, penaltyDecay: 0.996 },
  everything: {
    ...{ temperature: 1.3, topK: 12, topP: 0.95, minP: 0.02, presencePenalty: 0.2 },
    ...{ frequencyPenalty: 0.3, repetitionPenalty: 1.1, penaltyDecay: 0.9 },
  },
  'temperature 0, penalised': { temperature: 0, presencePenalty: 3, frequencyPenalty: 1, repetitionPenalty: 1.2 },
};

export const sample: readonly OpSpec[] = [
  ...Object.entries(SETTINGS).map(([name, settings]): OpSpec => {
    const inputs = {
      logits: normal(['R', 37], 2),
      parameters: parameters(settings),
      counts: counts(37),
      u: uniform(['R'], 0, 1),
    };
    return { op: 'sample', name: `${name},R=9,V=37`, sizes: { R: 9 }, inputs };
  }),
  {
    ...{ op: 'sample', name: 'each row its own settings', sizes: { R: 5 } },
    inputs: {
      logits: normal(['R', 70], 2),
      parameters: given(['R', 8], [{ temperature: 0 }, { topK: 2 }, { topP: 0.5 }, { minP: 0.5 }, {}].flatMap(columns)),
      ...{ counts: counts(70), u: uniform(['R'], 0, 1) },
    },
  },
  {
    ...{ op: 'sample', name: 'a large vocabulary', sizes: { R: 3 } },
    inputs: {
      ...{ logits: normal(['R', 2050], 3), parameters: parameters({ temperature: 0.9, topP: 0.8, topK: 50 }) },
      ...{ counts: counts(2050), u: uniform(['R'], 0, 1) },
    },
  },
  known('u at the edges', [0, 0, 0, 0], {}, [0, 0.2499, 0.2501, 0.9999], [0, 0, 1, 3]),
  known(
    'equal ones far apart',
    peaks(2100, [5, 1500, 1501, 2099]),
    { topK: 4 },
    [0.1, 0.3, 0.6, 0.9],
    [5, 1500, 1501, 2099],
  ),
  known('the first of those far apart', peaks(2100, [1500, 2099]), { temperature: 0 }, [0.9], [1500]),
  known('one token', [5], {}, [0, 0.5, 0.99], [0, 0, 0]),
  known('the first of equal ones', [1, 7, 7, 2], { temperature: 0 }, [0.9], [1]),
  known('equal ones at a threshold are kept', [2, 2, 2, 0], { topK: 1 }, [0.1, 0.5, 0.9], [0, 1, 2]),
  known('a far larger one', [0, 1e4, -1e4, 0], {}, [0, 0.999], [1, 1]),
  known('the largest is kept by any min-p', [0, 3, 1, 2], { minP: 1 }, [0, 0.999], [1, 1]),
  known('top-k keeps the largest', [0, 3, 1, 2], { topK: 2 }, [0, 0.999], [1, 3]),
  known('top-p keeps the fewest', [0.1, 0.5, 0.3, 0.1].map(Math.log), { topP: 0.7 }, [0, 0.999], [1, 2]),
  known('top-p in the fifth digit', [0.6, 0.4].map(Math.log), { topP: 0.59995 }, [0, 0.999], [0, 0]),
  known('a low temperature sharpens', [0, Math.log(3)], { temperature: 0.5 }, [0.12, 0.09], [1, 0]),
  known('counts fade', [1, 2, 3], { temperature: 0, penaltyDecay: 0.5 }, [0.5], [2], [4, 0, 2]),
  known('top-p 0 is the largest', [0, 3, 1, 2], { topP: 0 }, [0, 0.999], [1, 1]),
  known(
    'penalties can change the largest',
    [4, 5, 1, 1],
    { temperature: 0, presencePenalty: 2 },
    [0.5],
    [0],
    [0, 1, 0, 0],
  ),
  known(
    'a count below 1 is a count',
    [4, 5, 1, 1],
    { temperature: 0, presencePenalty: 2 },
    [0.5],
    [0],
    [0, 0.25, 0, 0],
  ),
  known('frequency counts', [4, 5, 1, 1], { temperature: 0, frequencyPenalty: 0.4 }, [0.5], [0], [0, 3, 0, 0]),
  known(
    'repetition of a positive one',
    [4, 5, 1, 1],
    { temperature: 0, repetitionPenalty: 2 },
    [0.5],
    [0],
    [0, 1, 0, 0],
  ),
  known(
    'repetition of a negative one',
    [-4, -3, -9, -9],
    { temperature: 0, repetitionPenalty: 2 },
    [0.5],
    [0],
    [0, 1, 0, 0],
  ),
  {
    op: 'sample',
    name: 'no rows',
    sizes: { R: 0 },
    inputs: { logits: normal(['R', 5]), parameters: parameters({}), counts: counts(5), u: uniform(['R'], 0, 1) },
  },
];

function columns(settings: Settings): number[] {
  return Object.values({ ...SAMPLE_PARAMETERS, ...settings });
}

function parameters(settings: Settings): LeafSpec {
  return given(['R', 8], columns(settings));
}

/** Zeros, and fives at the places. */
function peaks(length: number, places: readonly number[]): number[] {
  return Array.from({ length }, (_, v) => (places.includes(v) ? 5 : 0));
}

/** Mostly 0, some decayed. */
function counts(V: number): LeafSpec {
  return given(['R', V], [0, 0, 1, 0, 0.5, 0, 0, 3, 0, 0, 0]);
}

/** Rows of the same logits and counts, whose draws are known. */
function known(
  name: string,
  logits: readonly number[],
  settings: Settings,
  u: readonly number[],
  tokens: readonly number[],
  before: readonly number[] = logits.map(() => 0),
): OpSpec {
  const V = logits.length;
  const decay = settings.penaltyDecay ?? 1;
  const after = tokens.flatMap((token) => before.map((count, v) => decay * count + (v === token ? 1 : 0)));
  const inputs = {
    ...{ logits: given(['R', V], logits), parameters: parameters(settings) },
    ...{ counts: given(['R', V], before), u: given(['R'], u) },
  };
  return { op: 'sample', name, sizes: { R: u.length }, inputs, expected: { token: tokens, counts: after } };
}
