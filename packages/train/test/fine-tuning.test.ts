import { reference } from '@receptance/backend-reference';
import { bytesSource, openCheckpoint } from '@receptance/checkpoint';
import { readWidened, type WeightSource } from '@receptance/core';
import { expect, test } from 'vitest';
import { createTrainer, initialWeights, safetensorsBytes } from '../src/index.ts';
import { openGolden } from './support/golden.ts';
import { losses, oneThread, SMALL, small, walk } from './support/small.ts';

async function numbers(source: WeightSource, name: string): Promise<Float64Array> {
  const shape = source.tensors.get(name)?.shape ?? [];
  const out = new Float64Array(shape.reduce((product, size) => product * size, 1));
  await readWidened(source, name, out);
  return out;
}

async function pretrained(): Promise<WeightSource> {
  const trainer = await small({ steps: 20, sequences: 4 });
  await losses(trainer);
  const model = await openCheckpoint(bytesSource(await safetensorsBytes(trainer.weights())));
  await trainer.close();
  return model;
}

test('LoRA learns, changes its targets alone, and merges into a plain model that foresees as well', async () => {
  const base = await pretrained();
  const targets = (name: string): boolean => /(att|ffn)\.(key|value)\.weight$/.test(name);
  const data = walk(4000);
  const options = { steps: 40, sequences: 4, schedule: { rate: 2e-2, warmup: 0 } };
  const trainer = await small({ ...options, model: base, train: { lora: { rank: 4, alpha: 8, targets } } });
  expect(trainer.trained).toBe(2 * 4 * (4 * 32 + 2 * (32 + 128)));
  const before = (await trainer.evaluate(data)).loss;
  await losses(trainer);
  const after = (await trainer.evaluate(data)).loss;
  expect(after).toBeLessThan(before - 0.01);
  const merged = await openCheckpoint(bytesSource(await safetensorsBytes(trainer.weights())));
  await trainer.close();
  expect([...merged.tensors.keys()].sort()).toEqual([...base.tensors.keys()].sort());
  for (const name of base.tensors.keys()) {
    const same =
      (await numbers(merged, name)).every((x, i, all) => x === all[i]) &&
      Buffer.from(await merged.read(name)).equals(Buffer.from(await base.read(name)));
    expect(same, name).toBe(!targets(name));
  }
  const plain = await small({ ...options, model: merged });
  expect((await plain.evaluate(data)).loss).toBeCloseTo(after, 4);
  await plain.close();
});

test('LoRA takes frozen weights as they are stored', async () => {
  const model = await openGolden('rwkv7_l2_c128_v97.q8_0.gguf');
  const options = { backend: oneThread(), model, data: walk(2000, 97), steps: 4, sequences: 2, length: 16 };
  const trainer = await createTrainer({
    ...options,
    schedule: { rate: 1e-2, warmup: 0 },
    train: { lora: { rank: 4 } },
  });
  const [first = 0, ...others] = await losses(trainer);
  expect(others.at(-1)).toBeLessThan(first);
  await trainer.close();
  await model.close();
});

test.each(['rwkv5', 'rwkv6', 'rwkv7'] as const)(
  'state tuning of %s trains the initial state alone',
  async (architecture) => {
    const base = initialWeights({ ...SMALL, architecture }, 3);
    const data = walk(4000);
    const options = { model: base, train: 'state', steps: 10, schedule: { rate: 0.3, warmup: 0 }, l2Wrap: 0 } as const;
    const trainer = await small(options);
    expect(trainer.trained).toBe(2 * 32 * 16);
    await losses(trainer);
    const tuned = trainer.weights();
    const states = [...tuned.tensors.keys()].filter((name) => !base.tensors.has(name));
    expect(states).toEqual(['blocks.0.att.time_state', 'blocks.1.att.time_state']);
    expect(tuned.tensors.get('blocks.0.att.time_state')?.shape).toEqual([2, 16, 16]);
    for (const name of base.tensors.keys()) expect(await numbers(tuned, name)).toEqual(await numbers(base, name));
    const loss = (await trainer.evaluate(data, { tokens: 480 })).loss;
    // As a model of its own, on the specification.
    const model = await openCheckpoint(bytesSource(await safetensorsBytes(tuned)));
    const plain = await small({ backend: reference(), model, train: 'state' });
    expect((await plain.evaluate(data, { tokens: 480 })).loss).toBeCloseTo(loss, 4);
    await Promise.all([trainer.close(), plain.close()]);
  },
);

test('what cannot be trained so is refused', async () => {
  const four = { ...SMALL, architecture: 'rwkv4' } as const;
  await expect(small({ model: four, train: 'state' })).rejects.toMatchObject({ code: 'NOT_TRAINABLE' });
  await expect(small({ train: { lora: { rank: 0 } } })).rejects.toMatchObject({ code: 'BAD_OPTION' });
  const none = { lora: { targets: () => false } };
  await expect(small({ train: none })).rejects.toMatchObject({ code: 'NOT_TRAINABLE' });
});
