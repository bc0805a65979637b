import { readFileSync } from 'node:fs';
import { wasm } from '@receptance/backend-wasm';
import { openCheckpointFile } from '@receptance/checkpoint/node';
import { expect, test } from 'vitest';
import { createTrainer, type TrainerOptions } from '../src/index.ts';
import { walk } from './support/small.ts';

/** Where golden/curve.py keeps what it made. */
const url = (name: string): URL => new URL(`../golden/${name}`, import.meta.url);

interface Curve {
  readonly source: string;
  readonly losses: readonly number[];
}

type Settings = Omit<TrainerOptions, 'backend' | 'model' | 'data'> & {
  readonly tokens: number;
  readonly vocabularySize: number;
  readonly architectures: readonly string[];
};

function read<T>(name: string): T {
  return JSON.parse(readFileSync(url(name), 'utf8')) as T;
}

const settings = read<Settings>('settings.json');

test.each(settings.architectures)('200 steps of %s follow the loss of PyTorch', async (architecture) => {
  const { losses } = read<Curve>(`${architecture}.curve.json`);
  expect(losses).toHaveLength(200);
  expect(losses.at(-1)).toBeLessThan(0.5 * (losses[0] ?? 0));
  const model = await openCheckpointFile(url(`${architecture}.first.safetensors`));
  const data = walk(settings.tokens, settings.vocabularySize);
  const trainer = await createTrainer({ ...settings, backend: wasm({ threads: 1 }), model, data });
  for await (const { step, loss } of trainer.run()) {
    const want = losses[step - 1] ?? Number.NaN;
    expect(Math.abs(loss - want) / want, `step ${step}: ${loss} for ${want}`).toBeLessThan(0.01);
  }
  await trainer.close();
  await model.close();
});
