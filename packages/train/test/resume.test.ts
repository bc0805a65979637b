import { reference } from '@receptance/backend-reference';
import { wasm } from '@receptance/backend-wasm';
import { bytesSource, openCheckpoint } from '@receptance/checkpoint';
import { expect, test } from 'vitest';
import { safetensorsBytes } from '../src/index.ts';
import { losses, oneThread, sameBytes, small, walk } from './support/small.ts';

const CASES = [
  { what: 'wasm, shuffled', backend: oneThread(), order: 'shuffled', accumulate: 1, train: 'full' },
  {
    what: 'wasm, states carried, gradients accumulated',
    backend: oneThread(),
    order: 'stream',
    accumulate: 2,
    train: 'full',
  },
  { what: 'wasm on two threads', backend: wasm({ threads: 2 }), order: 'shuffled', accumulate: 1, train: 'full' },
  { what: 'wasm, Muon', backend: oneThread(), order: 'shuffled', accumulate: 1, train: 'full', optimiser: 'muon' },
  { what: 'wasm, LoRA', backend: oneThread(), order: 'shuffled', accumulate: 1, train: { lora: { rank: 4 } } },
  { what: 'reference in f64, states carried', backend: reference(), order: 'stream', accumulate: 1, train: 'full' },
] as const;

test.each(CASES)(
  'a run that stops and goes on ends as one that never stopped, to the bit: $what',
  async ({ what: _, ...given }) => {
    const options = { ...given, ...(given.backend.name === 'reference' && { length: 8, steps: 4 }) };
    const whole = await small(options);
    const want = await losses(whole);
    const [weights, saved] = [await safetensorsBytes(whole.weights()), await safetensorsBytes(whole.saved())];
    await whole.close();

    const first = await small(options);
    const begun = await losses(first, 3);
    const stopped = await safetensorsBytes(first.saved());
    await first.close();
    const second = await small({ ...options, resume: await openCheckpoint(bytesSource(stopped)) });
    expect(second.step).toBe(3);
    expect([...begun, ...(await losses(second))]).toEqual(want);
    expect(sameBytes(await safetensorsBytes(second.weights()), weights)).toBe(true);
    expect(sameBytes(await safetensorsBytes(second.saved()), saved)).toBe(true);
    await second.close();
  },
);

test('what cannot be resumed is refused, and why', async () => {
  const trainer = await small();
  await losses(trainer, 1);
  const saved = trainer.saved();
  await expect(small({ resume: { ...saved, metadata: {} } })).rejects.toMatchObject({ code: 'BAD_RESUME' });
  const torn = { ...saved.metadata, training: '{"kind"' };
  await expect(small({ resume: { ...saved, metadata: torn } })).rejects.toMatchObject({ code: 'BAD_RESUME' });
  const message = /length was 24, is 12; seed was 7, is 8/;
  await expect(small({ resume: saved, length: 12, seed: 8 })).rejects.toThrow(message);
  await expect(small({ resume: saved, data: walk(3999) })).rejects.toThrow(/dataLength was 4000, is 3999/);
  await expect(small({ resume: saved, train: 'state' })).rejects.toThrow(/kind was full, is state/);
  await trainer.close();
});

test('gradients of two batches add up to those of one twice as large', async () => {
  const [together, apart] = [await small({ sequences: 4 }), await small({ sequences: 2, accumulate: 2 })];
  const [want, got] = [await losses(together), await losses(apart)];
  for (const [i, loss] of got.entries()) expect(loss).toBeCloseTo(want[i] ?? 0, 4);
  await Promise.all([together.close(), apart.close()]);
});

test('the same seed begins alike, another otherwise', async () => {
  const first = async (seed: number): Promise<number[]> => {
    const trainer = await small({ seed, steps: 2 });
    const all = await losses(trainer);
    await trainer.close();
    return all;
  };
  expect(await first(1)).toEqual(await first(1));
  expect(await first(1)).not.toEqual(await first(2));
});
