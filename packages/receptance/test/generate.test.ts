import { reference } from '@receptance/backend-reference';
import type { Backend, Loop } from '@receptance/core';
import { afterAll, describe, expect, test } from 'vitest';
import { load, type Session } from '../src/index.ts';
import { collect, take } from './support/collect.ts';
import { randomModel, scriptedModel } from './support/models.ts';

const bytes = randomModel(2);
const model = await load(bytes, { backend: reference(), maxSequences: 8 });
afterAll(() => model.close());
const PROMPT = [...new TextEncoder().encode('Once')];
const TOKENS = 24;

const choices = {
  greedy: { greedy: true },
  sampled: { seed: 5, sampling: { temperature: 1.3, topP: 0.9, presencePenalty: 0.4, repetitionPenalty: 1.2 } },
} as const;

/** A backend that notes the steps of every run that is a loop. */
function counting(steps: number[]): Backend {
  const inner = reference();
  return {
    ...inner,
    async open(options) {
      const device = await inner.open(options);
      const run = device.run.bind(device);
      device.run = (executable, bindings, loop?: Loop) => {
        if (loop !== undefined) steps.push(loop.steps);
        return run(executable, bindings, loop);
      };
      return device;
    },
  };
}

async function uninterrupted(choice: (typeof choices)[keyof typeof choices], count: number): Promise<Session> {
  const session = await model.session();
  const options = { ...choice, prompt: PROMPT, stopTokens: [], maxTokens: count, stepsPerRun: 1 };
  await collect(session.generate(options));
  return session;
}

describe.each(Object.entries(choices))('%s', (_, choice) => {
  const options = { ...choice, stopTokens: [], maxTokens: TOKENS };

  test('how many tokens a run makes changes nothing, and all are made on the device', async () => {
    const steps: number[] = [];
    const counted = await load(bytes, { backend: counting(steps) });
    const texts: (readonly number[])[] = [];
    for (const stepsPerRun of [1, 2, 7, 64, undefined]) {
      const session = await counted.session();
      texts.push((await collect(session.generate({ ...options, prompt: PROMPT, stepsPerRun }))).tokens);
      await session.close();
    }
    for (const text of texts) expect(text).toEqual(texts[0]);
    expect(texts[0]).toHaveLength(TOKENS);
    expect(steps.slice(0, 41)).toEqual([...Array(24).fill(1), ...Array(12).fill(2), 7, 7, 7, 3, 24]);
    expect(steps[41]).toBe(1);
    await counted.close();
  });

  test.each([0, 1, 3, 4, 7, 8])('left after %i tokens of runs of 4, it stands exactly there', async (count) => {
    const session = await model.session();
    await session.prefill(PROMPT);
    expect(await take(session.generate({ ...options, stepsPerRun: 4 }), count)).toHaveLength(count);
    const replica = await uninterrupted(choice, count);
    expect(session.length).toBe(PROMPT.length + count);
    expect(await session.save()).toEqual(await replica.save());
    const rest = { ...options, maxTokens: 5 };
    expect((await collect(session.generate(rest))).tokens).toEqual((await collect(replica.generate(rest))).tokens);
    await Promise.all([session.close(), replica.close()]);
  });

  test('an abort between two tokens throws its reason, and the text goes on from there', async () => {
    const session = await model.session();
    const abort = new AbortController();
    const generation = session.generate({ ...options, prompt: PROMPT, stepsPerRun: 6, signal: abort.signal });
    for (let i = 0; i < 4; i++) await generation.next();
    abort.abort(new Error('stop it'));
    await expect(generation.next()).rejects.toThrow('stop it');
    const replica = await uninterrupted(choice, 4);
    expect(await session.save()).toEqual(await replica.save());
    await Promise.all([session.close(), replica.close()]);
  });

  test('a stop token in the middle of a run ends the text before it', async () => {
    const whole = await model.session();
    const { tokens } = await collect(whole.generate({ ...options, prompt: PROMPT }));
    const stop = tokens[5] ?? -1;
    const at = tokens.indexOf(stop);
    const session = await model.session();
    const stopped = await collect(
      session.generate({ ...options, prompt: PROMPT, stopTokens: [stop], stepsPerRun: 64 }),
    );
    expect(stopped).toMatchObject({ tokens: tokens.slice(0, at), finish: 'stop' });
    const replica = await uninterrupted(choice, at);
    expect(await session.save()).toEqual(await replica.save());
    expect((await collect(session.generate({ ...options, maxTokens: 1 }))).tokens).toEqual([stop]);
    await Promise.all([whole.close(), session.close(), replica.close()]);
  });

  test('two sessions interleaved are each as if alone', async () => {
    const [a, b] = [await model.session(), await model.session()];
    const first = a.generate({ ...options, prompt: 'Once', stepsPerRun: 3 });
    const second = b.generate({ ...options, prompt: 'Twice', stepsPerRun: 2 });
    const tokens: [number[], number[]] = [[], []];
    for (let i = 0; i < 10; i++) {
      const [x, y] = await Promise.all([first.next(), second.next()]);
      if (!x.done) tokens[0].push(x.value.token);
      if (!y.done) tokens[1].push(y.value.token);
      if (i % 4 === 3) await model.logits('in between');
    }
    const alone = await model.session();
    expect(await take(alone.generate({ ...options, prompt: 'Once' }), 10)).toEqual(tokens[0]);
    const other = await model.session();
    expect(await take(other.generate({ ...options, prompt: 'Twice' }), 10)).toEqual(tokens[1]);
    await Promise.all([a, b, alone, other].map((session) => session.close()));
  });

  test('another call between two tokens sees the text so far, and the generation goes on from what it leaves', async () => {
    const session = await model.session();
    const generation = session.generate({ ...options, prompt: PROMPT, stepsPerRun: 5 });
    const seen: number[] = [];
    const next = async (): Promise<void> => {
      const { value, done } = await generation.next();
      if (!done) seen.push(value.token);
    };
    for (let i = 0; i < 3; i++) await next();
    const replica = await uninterrupted(choice, 3);
    expect(await session.save()).toEqual(await replica.save());
    for (let i = 0; i < 3; i++) await next();
    await session.prefill('!');
    for (let i = 0; i < 2; i++) await next();

    const steps = await model.session();
    const first = await take(steps.generate({ ...options, prompt: PROMPT }), 6);
    await steps.prefill('!');
    expect([...first, ...(await take(steps.generate(options), 2))]).toEqual(seen);
    expect(await steps.save()).toEqual(await session.save());
    await Promise.all([session.close(), replica.close(), steps.close()]);
  });

  test('decode makes the tokens that generate makes', async () => {
    const [session, replica] = [await model.session(), await uninterrupted(choice, 6)];
    await session.prefill(PROMPT);
    for (let i = 0; i < 6; i++) await session.decode(choice);
    expect(await session.save()).toEqual(await replica.save());
    await Promise.all([session.close(), replica.close()]);
  });
});

test('no tokens are made for maxTokens 0, but the prompt is read', async () => {
  const session = await model.session();
  expect(await collect(session.generate({ prompt: PROMPT, maxTokens: 0 }))).toMatchObject({
    tokens: [],
    finish: 'length',
  });
  expect(session.length).toBe(4);
  await session.close();
});

describe('a model of known text', () => {
  const text = 'aé€x🌱z';
  const load256 = () => load(scriptedModel(text), { backend: reference() });

  test('gives whole characters and stops at the end of the text', async () => {
    const scripted = await load256();
    const session = await scripted.session();
    const made = await collect(session.generate({ prompt: 'a', greedy: true, maxTokens: 100, stepsPerRun: 64 }));
    expect(made).toMatchObject({ text: 'é€x🌱z', finish: 'stop' });
    expect(made.texts).toEqual(['', 'é', '', '', '€', 'x', '', '', '', '🌱', 'z']);
    expect(session.length).toBe(12);
    await scripted.close();
  });

  test('finishes in later calls, and in a fork, a character begun in an earlier one', async () => {
    const scripted = await load256();
    const session = await scripted.session();
    const options = { greedy: true, maxTokens: 3 } as const;
    expect((await collect(session.generate({ ...options, prompt: 'x' }))).text).toBe('');
    const fork = await session.fork();
    const saved = await session.save();
    expect((await collect(session.generate(options))).text).toBe('🌱z');
    expect((await collect(fork.generate(options))).text).toBe('🌱z');
    await fork.restore(saved);
    expect((await collect(fork.generate(options))).text).toBe('🌱z');
    await scripted.close();
  });

  test('an empty text begins with the end of the text before it', async () => {
    const scripted = await load256();
    const session = await scripted.session();
    await session.prefill('');
    // The script has nothing to say after token 0 but its last byte's successor: what counts is that 0 was read.
    await session.decode({ greedy: true });
    expect(session.length).toBe(2);
    expect((await session.save()).tail[0]).toBe(0);
    await scripted.close();
  });
});
