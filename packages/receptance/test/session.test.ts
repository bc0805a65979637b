import { reference } from '@receptance/backend-reference';
import { afterAll, expect, test } from 'vitest';
import { load } from '../src/index.ts';
import { collect } from './support/collect.ts';
import { randomModel } from './support/models.ts';

const bytes = randomModel();
const model = await load(bytes, { backend: reference(), maxSequences: 3, chunk: 4 });
afterAll(() => model.close());
const PROMPT = [...new TextEncoder().encode('It was a dark night.')];

test('a text read at once, token by token or in pieces leaves the same state', async () => {
  const [whole, single, pieces] = [await model.session(), await model.session(), await model.session()];
  expect(await whole.prefill(PROMPT)).toBe(20);
  for (const token of PROMPT) await single.prefill([token]);
  await pieces.prefill('It was');
  await pieces.prefill('');
  await pieces.prefill(' a dark night.');
  const saved = await whole.save();
  expect(await single.save()).toEqual(saved);
  expect(await pieces.save()).toEqual(saved);
  expect(saved).toMatchObject({ architecture: 'rwkv7', vocabularySize: 256, length: 20, tail: PROMPT.slice(-4) });
  expect(Object.keys(saved.tensors)).toContain('state.1.att_kv');
  expect(saved.tensors['state.1.att_kv']?.shape).toEqual([2, 8, 8]);
  await Promise.all([whole.close(), single.close(), pieces.close()]);
});

test('reading goes on where generating stopped as if it had been one text', async () => {
  const [session, replica] = [await model.session(), await model.session()];
  const { tokens } = await collect(session.generate({ prompt: PROMPT, greedy: true, maxTokens: 9, stopTokens: [] }));
  await session.prefill([1, 2, 3]);
  await replica.prefill([...PROMPT, ...tokens, 1, 2, 3]);
  expect(session.length).toBe(32);
  expect(await session.save()).toEqual(await replica.save());
  await Promise.all([session.close(), replica.close()]);
});

test('the logits of a text are those that its continuation is chosen by', async () => {
  const { data, vocabularySize } = await model.logits(PROMPT, { rows: 'last' });
  const session = await model.session();
  await session.prefill(PROMPT);
  expect(await session.decode({ greedy: true })).toBe(data.indexOf(Math.max(...data)));
  const all = await model.logits(PROMPT);
  expect(all.rows).toBe(20);
  expect(all.data.slice(19 * vocabularySize)).toEqual(data);
  const none = await model.logits([]);
  expect(none.rows).toBe(0);
  expect(await model.nll([])).toEqual(new Float64Array(0));
  await session.close();
});

test('a fork goes its own way', async () => {
  const session = await model.session();
  const options = { maxTokens: 8, seed: 3, stopTokens: [] };
  await collect(session.generate({ ...options, prompt: PROMPT }));
  const fork = await session.fork();
  expect(await fork.save()).toEqual(await session.save());
  const ahead = await collect(fork.generate(options));
  expect(fork.length).toBe(36);
  expect(session.length).toBe(28);
  expect((await collect(session.generate(options))).tokens).toEqual(ahead.tokens);
  await fork.prefill('other');
  expect((await fork.save()).tail).not.toEqual((await session.save()).tail);
  await Promise.all([session.close(), fork.close()]);
});

test('a saved state goes on in another session, and in another copy of the model, as if never interrupted', async () => {
  const options = { maxTokens: 7, seed: 11, sampling: { frequencyPenalty: 0.5, penaltyDecay: 0.9 }, stopTokens: [] };
  const session = await model.session();
  await collect(session.generate({ ...options, prompt: PROMPT }));
  const saved = structuredClone(await session.save());
  const { tokens } = await collect(session.generate(options));

  const same = await model.session();
  await same.prefill('something else');
  await same.restore(saved);
  expect(same.length).toBe(27);
  expect((await collect(same.generate(options))).tokens).toEqual(tokens);

  const copy = await load(bytes, { backend: reference() });
  const restored = await copy.session();
  await restored.restore(saved);
  expect(await restored.save()).toEqual(saved);
  expect((await collect(restored.generate(options))).tokens).toEqual(tokens);
  await Promise.all([session.close(), same.close(), copy.close()]);
});

test('a slot that is used again begins at the start of a text', async () => {
  const before = await model.session();
  await collect(before.generate({ prompt: PROMPT, maxTokens: 5, seed: 1 }));
  await before.close();
  await before.close();
  const [after, fresh] = [await model.session(), await model.session()];
  await after.prefill(PROMPT);
  await fresh.prefill(PROMPT);
  expect(await after.save()).toEqual(await fresh.save());
  const { tensors } = await after.save();
  expect(tensors['sample.counts']?.data.every((count) => count === 0)).toBe(true);
  await Promise.all([after.close(), fresh.close()]);
});

test('an aborted prefill appends nothing', async () => {
  const session = await model.session();
  await session.prefill(PROMPT);
  const saved = await session.save();
  let checks = 0;
  const signal = {
    aborted: false,
    throwIfAborted: () => {
      if (++checks === 3) throw new Error('enough');
    },
  };
  await expect(session.prefill('much more than one chunk of it', { signal })).rejects.toThrow('enough');
  expect(checks).toBe(3);
  expect(await session.save()).toEqual(saved);
  await session.close();
});

test('the next token of a generation is a call like the others', async () => {
  const [session, replica] = [await model.session(), await model.session()];
  const options = { greedy: true, maxTokens: 8, stopTokens: [] } as const;
  const generation = session.generate({ ...options, prompt: 'Once', stepsPerRun: 8 });
  const [one, first] = await Promise.all([generation.next(), session.save()]);
  const [second, two] = await Promise.all([session.save(), generation.next()]);
  const [, three] = await Promise.all([session.prefill('X'), generation.next()]);
  expect([first.length, second.length, session.length]).toEqual([5, 5, 8]);

  await replica.prefill('Once');
  const tokens = [await replica.decode(options), await replica.decode(options)];
  await replica.prefill('X');
  tokens.push(await replica.decode(options));
  expect([one, two, three].map(({ value }) => Object(value).token)).toEqual(tokens);
  expect(await session.save()).toEqual(await replica.save());
  await Promise.all([session.close(), replica.close()]);
});

test('two generations of one session take turns', async () => {
  const session = await model.session();
  await session.prefill(PROMPT);
  const alone = await session.fork();
  const options = { greedy: true, stopTokens: [] } as const;
  const made = Promise.all([1, 2].map(() => collect(session.generate({ ...options, maxTokens: 6 }))));
  const lengths = (await made).map(({ tokens }) => tokens.length);
  expect(lengths).toEqual([6, 6]);
  await collect(alone.generate({ ...options, maxTokens: 12 }));
  expect(await session.save()).toEqual(await alone.save());
  await Promise.all([session.close(), alone.close()]);
});

test('calls on one session act in the order they are made', async () => {
  const [session, replica] = [await model.session(), await model.session()];
  const calls = [session.prefill('a'), session.decode({ greedy: true }), session.prefill('b'), session.save()] as const;
  const [, token, , saved] = await Promise.all(calls);
  await replica.prefill([97, token, 98]);
  expect(await replica.save()).toEqual(saved);
  await Promise.all([session.close(), replica.close()]);
});
