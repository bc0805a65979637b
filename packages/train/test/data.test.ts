import { bytesSource } from '@receptance/checkpoint';
import { expect, test } from 'vitest';
import { consecutive } from '../src/data/batches.ts';
import { permuted } from '../src/data/permutation.ts';
import { Batches, split, tokenArray, tokenBytes } from '../src/index.ts';
import { rateAt } from '../src/schedule.ts';

test.each([1, 2, 3, 16, 17, 1000])('an order of %i is a permutation, and another for another seed', (count) => {
  const order = (key: number): number[] => Array.from({ length: count }, (_, i) => permuted(i, count, key));
  expect(order(1).toSorted((a, b) => a - b)).toEqual(Array.from({ length: count }, (_, i) => i));
  if (count > 3) expect(order(1)).not.toEqual(order(2));
});

const count = Int32Array.from({ length: 103 }, (_, i) => i);

test('shuffled windows: each once per epoch, cut elsewhere in the next', async () => {
  const options = {
    data: tokenArray(count),
    sequences: 3,
    length: 10,
    seed: 5,
    order: 'shuffled',
    vocabularySize: 103,
  } as const;
  const batches = new Batches(options);
  expect(batches.perEpoch).toBe(3);
  const starts: number[][] = [[], []];
  for (let index = 0; index < 6; index++) {
    const { tokens, targets, fresh } = await batches.batch(index);
    expect(targets).toEqual(tokens.map((token) => token + 1));
    expect([...fresh]).toEqual([1, 1, 1]);
    for (let s = 0; s < 3; s++) starts[Math.floor(index / 3)]?.push(tokens[s * 10] ?? 0);
  }
  const residues = starts.map((each) => new Set(each.map((start) => start % 10)));
  expect(residues.map(({ size }) => size)).toEqual([1, 1]);
  expect(residues[0]).not.toEqual(residues[1]);
  for (const each of starts) expect(new Set(each).size).toBe(9);
});

test('aligned windows begin at multiples of their length, in every epoch', async () => {
  const options = { ...{ data: tokenArray(count), sequences: 5, length: 10, seed: 5 }, vocabularySize: 103 } as const;
  const batches = new Batches({ ...options, order: 'aligned' });
  expect(batches.perEpoch).toBe(2);
  const epochs: number[][] = [[], []];
  for (let index = 0; index < 4; index++) {
    const { tokens } = await batches.batch(index);
    for (let s = 0; s < 5; s++) epochs[Math.floor(index / 2)]?.push(tokens[s * 10] ?? 0);
  }
  for (const starts of epochs)
    expect(starts.toSorted((a, b) => a - b)).toEqual([0, 10, 20, 30, 40, 50, 60, 70, 80, 90]);
  expect(epochs[0]).not.toEqual(epochs[1]);
  // All of 100 tokens and the one that follows them are a window each.
  expect(new Batches({ ...options, data: tokenArray(count.subarray(0, 101)), order: 'aligned' }).perEpoch).toBe(2);
});

test('tokens that are only read are in no target, and are not counted', async () => {
  const marks = count.map((token) => (token % 3 === 0 ? 1 : 0));
  const { training, heldOut } = split(tokenArray(count, marks), 0.1);
  const common = { ...{ sequences: 2, length: 10, seed: 1 }, vocabularySize: 103 } as const;
  const batch = await new Batches({ ...common, data: training, order: 'aligned' }).batch(0);
  expect(batch.targets).toEqual(batch.tokens.map((token) => ((token + 1) % 3 === 0 ? token + 1 : -1)));
  expect(batch.counted).toBe(batch.targets.filter((target) => target >= 0).length);
  for await (const { counted, targets } of consecutive({ ...common, data: heldOut }, 100)) {
    expect(counted).toBe(3);
    expect([...targets.filter((target) => target >= 0)]).toEqual([96, 99, 102]);
  }
});

test('a stream goes on where the batch before ended, and begins anew after an epoch', async () => {
  const options = {
    data: tokenArray(count),
    sequences: 2,
    length: 16,
    seed: 5,
    order: 'stream',
    vocabularySize: 103,
  } as const;
  const batches = new Batches(options);
  expect(batches.perEpoch).toBe(3);
  const seen = await Promise.all([0, 1, 2, 3].map((index) => batches.batch(index)));
  expect(seen.map(({ tokens }) => [tokens[0], tokens[16]])).toEqual([
    [0, 48],
    [16, 64],
    [32, 80],
    [0, 48],
  ]);
  expect(seen.map(({ fresh }) => fresh[0])).toEqual([1, 0, 0, 1]);
});

test('tokens of one, two and four bytes; a held-out part', async () => {
  const read = async (bytes: Uint8Array, width: 1 | 2 | 4) => [
    ...Array.from(await tokenBytes(bytesSource(bytes), width).read(1, 3)),
  ];
  expect(await read(Uint8Array.of(1, 2, 3), 1)).toEqual([2, 3]);
  expect(await read(new Uint8Array(Uint16Array.of(1, 65535, 3).buffer), 2)).toEqual([65535, 3]);
  expect(await read(new Uint8Array(Uint32Array.of(1, 70000, 3).buffer), 4)).toEqual([70000, 3]);
  expect(() => tokenBytes(bytesSource(Uint8Array.of(1)), 2)).toThrow(/no whole tokens of 2/);
  const { training, heldOut } = split(tokenArray(count), 0.1);
  expect([training.length, heldOut.length]).toEqual([93, 10]);
  expect([...Array.from(await heldOut.read(0, 2))]).toEqual([93, 94]);
});

test('data that are too short, or of another tokenizer, are refused', async () => {
  const options = {
    data: tokenArray(count),
    sequences: 1,
    length: 103,
    seed: 0,
    order: 'shuffled',
    vocabularySize: 50,
  } as const;
  expect(() => new Batches(options)).toThrow(/103 tokens of data; at least 104 are needed/);
  await expect(new Batches({ ...options, length: 102 }).batch(0)).rejects.toMatchObject({ code: 'TOKEN_OUT_OF_RANGE' });
});

test('what is no token of the model is refused as it was read, and is not taken for one that only is read', async () => {
  const options = { ...{ sequences: 1, length: 5, seed: 0 }, order: 'aligned', vocabularySize: 16 } as const;
  const wide = new Uint8Array(Uint32Array.of(1, 2, 0xffffffff, 3, 4, 5, 6).buffer);
  for (const data of [tokenArray([1, 2, -1, 3, 4, 5, 6]), tokenBytes(bytesSource(wide), 4)]) {
    const refused = { code: 'TOKEN_OUT_OF_RANGE' };
    await expect(new Batches({ ...options, data }).batch(0)).rejects.toMatchObject(refused);
    await expect(consecutive({ ...options, data }, 6).next()).rejects.toMatchObject(refused);
  }
});

test('schedules', () => {
  const common = { rate: 1, finalRate: 0.1, warmup: 2, decay: 0.25 };
  const rates = (kind: 'cosine' | 'wsd' | 'constant', steps: number): number[] =>
    Array.from({ length: steps }, (_, step) => Number(rateAt({ ...common, kind }, step, steps).toFixed(4)));
  expect(rates('cosine', 7)).toEqual([0.5, 1, 1, 0.8682, 0.55, 0.2318, 0.1]);
  expect(rates('wsd', 8)).toEqual([0.5, 1, 1, 1, 1, 1, 0.55, 0.1]);
  expect(rates('constant', 4)).toEqual([0.5, 1, 1, 1]);
});
