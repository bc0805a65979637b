import { webgpu } from '@receptance/backend-webgpu';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { load, type Model } from '../src/index.ts';
import { collect, take } from './support/collect.ts';
import { randomModel } from './support/models.ts';

const MANNERS = [
  { greedy: true },
  {
    seed: 5,
    sampling: { temperature: 0.9, topP: 0.95, presencePenalty: 0.5, frequencyPenalty: 0.3, penaltyDecay: 0.99 },
  },
] as const;

let model: Model;
beforeAll(async () => {
  model = await load(randomModel(), { backend: webgpu({ selfTest: false }), maxSequences: 2, chunk: 8 });
});
afterAll(() => model.close());

it.each(MANNERS)('what a GPU made too far is taken back, to the last number of the state: %o', async (manner) => {
  const [single, many] = [await model.session(), await model.session()];
  const begin = { ...manner, prompt: [1, 2, 3], maxTokens: 40 };
  // Left in the middle of a run of 16 tokens, the tokens that nobody was given having been made already.
  const wanted = await take(single.generate({ ...begin, stepsPerRun: 1 }), 5);
  expect(await take(many.generate({ ...begin, stepsPerRun: 16 }), 5)).toEqual(wanted);
  expect(many.length).toBe(single.length);
  expect((await many.save()).tensors).toEqual((await single.save()).tensors);

  // Ended by a stop token in the middle of a run.
  const rest = { ...manner, maxTokens: 30 };
  const { tokens } = await collect(single.generate({ ...rest, stepsPerRun: 1 }));
  const stop = tokens.find((token, i) => i > 2 && tokens.indexOf(token) === i) ?? -1;
  const ended = await collect(many.generate({ ...rest, stepsPerRun: 16, stopTokens: [stop] }));
  expect(ended).toMatchObject({ finish: 'stop', tokens: tokens.slice(0, tokens.indexOf(stop)) });
  const { tokens: on } = await collect(many.generate({ ...rest, maxTokens: 4, stepsPerRun: 3 }));
  expect(on).toEqual(tokens.slice(tokens.indexOf(stop), tokens.indexOf(stop) + 4));
  for (const session of [single, many]) await session.close();
});
