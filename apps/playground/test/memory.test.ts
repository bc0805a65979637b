/** A model is never twice in memory: it is read piece by piece, from its file to where it is used. */
import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomWeights } from '@receptance/benchmarks/random-weights';
import { safetensorsChunks } from '@receptance/checkpoint';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { PageMemory } from './support/memory.ts';
import { modelOpened, openModels, openPage, written } from './support/page.ts';

const NAME = 'large.safetensors';
let folder = '';
let size = 0;

/** A model so large that all else that a page has is little beside it. Its weights are zeros, which take no disk. */
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'receptance-playground-'));
  const { tensors, read } = randomWeights('rwkv7-0.1b');
  const half = [...tensors].map(([name, info]) => [name, { ...info, dtype: 'f16', bytes: info.bytes / 2 }] as const);
  const { value: header } = await safetensorsChunks({ tensors: new Map(half), read }).next();
  if (header === undefined) throw new Error('no header');
  size = half.reduce((sum, [, { bytes }]) => sum + bytes, header.length);
  const file = await open(join(folder, NAME), 'w');
  await file.write(header);
  await file.truncate(size);
  await file.close();
});

afterAll(() => rm(folder, { recursive: true, force: true }));

test('a large model is in memory about once', async () => {
  const { page, close } = await openPage({ settings: { maxTokens: 8 } });
  await written(page);
  await openModels(page);
  // The self-tests of the backends take memory of their own.
  await page.locator('.backend', { hasText: 'Reference' }).getByText(/works/).waitFor();
  const memory = await PageMemory.of(page);
  const before = memory.begin();
  await page.locator('dialog input[type=file]').setInputFiles(join(folder, NAME));
  await modelOpened(page, NAME);
  const times = (memory.peak() - before) / size;
  console.log(`peak memory to open ${(size / 1e6).toFixed(0)} MB: ${times.toFixed(2)} times as much`);
  // What was read and is not yet collected as garbage comes on top of the model itself.
  expect(times).toBeGreaterThan(0.9);
  expect(times).toBeLessThan(1.9);
  await close();
});
