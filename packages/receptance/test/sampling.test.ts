import { reference } from '@receptance/backend-reference';
import { afterAll, describe, expect, test } from 'vitest';
import { load, type Sampling } from '../src/index.ts';
import { collect } from './support/collect.ts';
import { randomModel } from './support/models.ts';

const model = await load(randomModel(3), { backend: reference() });
afterAll(() => model.close());

async function text(options: { readonly seed?: number; readonly sampling?: Sampling; readonly greedy?: boolean }) {
  const session = await model.session();
  const { tokens } = await collect(session.generate({ ...options, prompt: 'A', maxTokens: 30, stopTokens: [] }));
  await session.close();
  return tokens;
}

test('the same seed draws the same text, another seed another, no seed a new one each time', async () => {
  expect(await text({ seed: 1 })).toEqual(await text({ seed: 1 }));
  expect(await text({ seed: 1 })).not.toEqual(await text({ seed: 2 }));
  expect(await text({ seed: 1 })).not.toEqual(await text({ seed: 1 + 2 ** 32 }));
  expect(await text({})).not.toEqual(await text({}));
});

test.each([{ temperature: 0 }, { topK: 1 }, { topP: 1e-9 }, { minP: 1 }])('%o is greedy', async (sampling) => {
  expect(await text({ seed: 9, sampling })).toEqual(await text({ greedy: true }));
});

test('settings left out are off', async () => {
  const off = { temperature: 1, topK: 0, topP: 1, minP: 0, presencePenalty: 0, frequencyPenalty: 0 };
  expect(await text({ seed: 4, sampling: { ...off, repetitionPenalty: 1, penaltyDecay: 1 } })).toEqual(
    await text({ seed: 4 }),
  );
});

test('a large presence penalty draws no token twice', async () => {
  const tokens = await text({ seed: 4, sampling: { temperature: 0, presencePenalty: 1e6 } });
  expect(new Set(tokens).size).toBe(30);
  expect(new Set(await text({ greedy: true })).size).toBeLessThan(30);
});

const BAD: readonly (Record<string, unknown> & { readonly why: string })[] = [
  { temperature: -0.1, why: 'temperature' },
  { temperature: Number.NaN, why: 'temperature' },
  { temperature: 1e39, why: 'temperature' },
  { topK: 1.5, why: 'topK' },
  { topK: -1, why: 'topK' },
  { topP: 0, why: 'topP' },
  { topP: 1.01, why: 'topP' },
  { minP: -0.5, why: 'minP' },
  { presencePenalty: Number.POSITIVE_INFINITY, why: 'presencePenalty' },
  { frequencyPenalty: '1', why: 'frequencyPenalty' },
  { repetitionPenalty: 0, why: 'repetitionPenalty' },
  { penaltyDecay: 2, why: 'penaltyDecay' },
  { top_p: 0.5, why: 'top_p' },
];

describe('wrong settings are refused at once', () => {
  test.each(BAD)('%o', async ({ why, ...sampling }) => {
    const session = await model.session();
    const error = expect.objectContaining({ code: 'BAD_SAMPLING', message: expect.stringContaining(why) });
    expect(() => session.generate({ sampling, maxTokens: 1 })).toThrow(error);
    await expect(session.decode({ sampling })).rejects.toThrow(error);
    await session.close();
  });

  test.each([-1, 0.5, Number.NaN, 2 ** 53])('seed %d', async (seed) => {
    const session = await model.session();
    expect(() => session.generate({ seed, maxTokens: 1 })).toThrow(expect.objectContaining({ code: 'BAD_SAMPLING' }));
    await session.close();
  });

  test('greedy together with settings', async () => {
    const session = await model.session();
    const options = { greedy: true, sampling: { temperature: 1 }, maxTokens: 1 };
    expect(() => session.generate(options)).toThrow(expect.objectContaining({ code: 'BAD_SAMPLING' }));
    await session.close();
  });
});
