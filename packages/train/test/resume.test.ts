import { reference } from '@receptance/backend-reference';
import { wasm } from '@receptance/backend-wasm';
import { bytesSource, openCheckpoint } from '@receptance/checkpoint';
import { expect, test } from 'vitest';
import { initialWeights, safetensorsBytes, type TrainerOptions, tokenArray } from '../src/index.ts';
import { losses, oneThread, SMALL, sameBytes, small, walk } from './support/small.ts';

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
  const first = { ...saved.metadata, format: 'receptance-training-1' };
  await expect(small({ resume: { ...saved, metadata: first } })).rejects.toThrow(/an earlier version saved it/);
  await trainer.close();
});

test('data and models of the same size are told apart', async () => {
  const trainer = await small();
  await losses(trainer, 1);
  const resume = trainer.saved();
  const refused = (options: Partial<TrainerOptions>, message: RegExp): Promise<void> =>
    expect(small({ resume, ...options })).rejects.toThrow(
      expect.objectContaining({ code: 'BAD_RESUME', message: expect.stringMatching(message) }),
    );
  const walked = Array.from(await walk(4000).read(0, 4000));
  await refused({ data: tokenArray(walked.with(3999, 5)) }, /dataFingerprint was \w{16}, is \w{16}/);
  await refused({ data: tokenArray(walked, walked.map(() => 1).with(0, 0)) }, /dataFingerprint/);
  await refused({ groupNormEps: 1e-2 }, /groupNormEps was undefined, is 0.01/);
  await refused({ model: { ...SMALL, layers: 3 } }, /blocks\.2\.\S+ was not there, is \[.*\]; and \d+ tensors more/);
  await refused({ model: { ...SMALL, layers: 1 } }, /blocks\.1\.\S+ was \[.*\], is not there/);
  await refused({ model: { ...SMALL, headSize: 32 } }, /r_k was \[2,16\], is \[1,32\]/);
  await trainer.close();

  const baseline = { architecture: 'transformer', layers: 1, width: 32, headSize: 16, vocabularySize: 64 } as const;
  const other = await small({ model: baseline });
  const saved = other.saved();
  const model = { ...baseline, headSize: 8 };
  await expect(small({ model, resume: saved })).rejects.toThrow(/headSize was 16, is 8/);
  await other.close();
});

test('adapters go on beside the weights that they were begun beside, with their targets', async () => {
  const train = { lora: { rank: 2 } };
  const model = initialWeights(SMALL, 1);
  const trainer = await small({ train, model });
  await losses(trainer, 1);
  const resume = trainer.saved();
  const other = small({ train, model: initialWeights(SMALL, 2), resume });
  await expect(other).rejects.toThrow(/the frozen weights are those of another model/);
  const targets = (name: string): boolean => name.endsWith('att.key.weight');
  await expect(small({ train: { lora: { rank: 2, targets } }, model, resume })).rejects.toThrow(
    /lora_A was .* not there/,
  );
  const same = await small({ train, model, resume });
  expect(same.step).toBe(1);
  await Promise.all([trainer.close(), same.close()]);
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
