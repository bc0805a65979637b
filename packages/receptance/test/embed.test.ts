import { reference } from '@receptance/backend-reference';
import { bytesSource, openCheckpoint } from '@receptance/checkpoint';
import { expect, test } from 'vitest';
import { load } from '../src/index.ts';
import { randomModel } from './support/models.ts';

const bytes = randomModel(3);

test('embeddings are what the head makes logits of, in one chunk or in many', async () => {
  const [model, small] = [
    await load(bytes, { backend: reference() }),
    await load(bytes, { backend: reference(), chunk: 4 }),
  ];
  const text = 'It was a dark night.';
  const all = await model.embed(text, { rows: 'all' });
  expect(all).toHaveLength(20 * 16);
  expect(await small.embed(text, { rows: 'all' })).toEqual(all);
  const last = await model.embed(text);
  expect(last).toEqual(all.slice(19 * 16));
  expect(await small.embed(text)).toEqual(last);

  const checkpoint = await openCheckpoint(bytesSource(bytes));
  const head = new Float32Array((await checkpoint.read('head.weight')).slice().buffer);
  const { data } = await model.logits(text, { rows: 'last' });
  for (const token of [0, 65, 255]) {
    const logit = last.reduce((sum, x, i) => sum + x * (head[token * 16 + i] ?? 0), 0);
    expect(logit).toBeCloseTo(data[token] ?? Number.NaN, 4);
  }
  await Promise.all([model.close(), small.close()]);
});

test('an empty text has no last token; memory tells of what was compiled for it', async () => {
  const model = await load(bytes, { backend: reference() });
  await expect(model.embed('')).rejects.toThrow(expect.objectContaining({ code: 'EMPTY_TEXT' }));
  expect(await model.embed('', { rows: 'all' })).toEqual(new Float32Array(0));
  const before = model.memory.activationBytes;
  await model.embed('a');
  expect(model.memory.activationBytes).toBeGreaterThan(before);
  await model.close();
  await expect(model.embed('a')).rejects.toThrow(expect.objectContaining({ code: 'MODEL_CLOSED' }));
});
