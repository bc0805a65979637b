import type { Device } from '@receptance/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { wasm } from '../src/index.ts';
import { type Golden, largestDifference, Model, openGolden } from './support/rwkv7.ts';

const LIMITS = { N: 100, S: 3, R: 64, Z: 5 };

describe.each([
  ['rwkv7_l2_c128_v97.safetensors', 'rwkv7_l2_c128_v97.golden.safetensors', 'logits'],
  ['rwkv7_l2_c128_v97.bf16.pth', 'rwkv7_l2_c128_v97.golden.safetensors', 'logits_rbf16w'],
  ['rwkv7_l2_c128_v97.fp16.safetensors', 'rwkv7_l2_c128_v97.golden.safetensors', 'logits_rfp16w'],
  ['rwkv7_l2_c64_state_v97.bf16.safetensors', 'rwkv7_l2_c64_state_v97.golden.safetensors', 'logits'],
  ['rwkv7_l3_c192_f256_v97.bf16.safetensors', 'rwkv7_l3_c192_f256_v97.golden.safetensors', 'logits'],
  ['rwkv7_l4_c128_v97.safetensors', 'rwkv7_l4_c128_v97.golden.safetensors', 'logits'],
])('%s', (file, goldenFile, tensor) => {
  let device: Device;
  let model: Model;
  let golden: Golden;
  let prompt: number[];
  beforeAll(async () => {
    device = await wasm().open();
    model = await Model.load(device, file, LIMITS);
    golden = await openGolden(goldenFile);
    prompt = [...(await golden.numbers('prompt'))];
  });
  afterAll(async () => {
    await golden.close();
    await device.close();
  });

  it('gives the golden logits', async () => {
    await model.reset([3]);
    const logits = await model.logits([prompt], [3], [...prompt.keys()]);
    expect(largestDifference(logits, await golden.numbers(tensor))).toBeLessThan(2e-5);
  });

  it('gives the same logits however the text is cut, empty pieces too', async () => {
    await model.reset([0]);
    const got: number[] = [];
    for (const [begin, end] of [
      [0, 1],
      [1, 1],
      [1, 20],
      [20, 48],
    ] as const) {
      const piece = prompt.slice(begin, end);
      got.push(...(await model.logits([piece], [0], [...piece.keys()])));
    }
    expect(largestDifference(got, await golden.numbers(tensor))).toBeLessThan(2e-5);
  });

  it('keeps sequences apart that run together', async () => {
    await model.reset([4, 1, 2]);
    const other = prompt.toReversed().slice(0, 7);
    const logits = await model.logits([other, [], prompt.slice(0, 30)], [4, 1, 2], [36]);
    const alone = (await golden.numbers(tensor)).slice(29 * model.vocabularySize, 30 * model.vocabularySize);
    expect(largestDifference(logits, alone)).toBeLessThan(2e-5);
  });
});

describe('decoding', () => {
  let device: Device;
  let model: Model;
  let golden: Golden;
  let prompt: number[];
  beforeAll(async () => {
    device = await wasm().open();
    model = await Model.load(device, 'rwkv7_l4_c128_v97.safetensors', LIMITS);
    golden = await openGolden('rwkv7_l4_c128_v97.golden.safetensors');
    prompt = [...(await golden.numbers('prompt'))];
  });
  afterAll(async () => {
    await golden.close();
    await device.close();
  });

  it('makes the golden tokens in one call as in single steps', async () => {
    const wanted = [...(await golden.numbers('greedy'))];
    await model.reset([0, 1]);
    const first = await model.greedy([prompt, prompt], [0, 1]);
    expect(first).toEqual([wanted[0], wanted[0]]);

    const together = await model.greedy([first.slice(0, 1)], [0], wanted.length - 1);
    let last = first.slice(0, 1);
    const alone: number[] = [];
    for (let i = 1; i < wanted.length; i++) {
      last = await model.greedy([last], [1]);
      alone.push(...last);
    }
    expect(together).toEqual(wanted.slice(1));
    expect(alone).toEqual(wanted.slice(1));
  });

  it('draws in a loop what it draws step by step', async () => {
    const settings = [0.9, 20, 0.9, 0.01, 0.3, 0.3, 1.1, 0.99];
    const u = Array.from({ length: 24 }, (_, i) => ((i * 0.618) % 1) * 0.999);
    await model.reset([0, 1]);
    const together = await model.sample(7, 0, settings, u);
    const alone: number[] = [];
    for (const x of u) alone.push(...(await model.sample(alone.at(-1) ?? 7, 1, settings, [x])));
    expect(together).toEqual(alone);
    expect(new Set(together).size).toBeGreaterThan(4);
  });

  it('runs with no token and with no sequence', async () => {
    await model.reset([0]);
    const before = await model.logits([prompt.slice(0, 5)], [0], [4]);
    expect(await model.logits([[]], [0], [])).toHaveLength(0);
    expect(await model.logits([], [], [])).toHaveLength(0);
    await model.reset([]);
    const after = await model.logits([prompt.slice(5, 6)], [0], [0]);
    await model.reset([0]);
    const whole = await model.logits([prompt.slice(0, 6)], [0], [4, 5]);
    expect(largestDifference([...before, ...after], whole)).toBeLessThan(1e-5);
  });

  it('never leaves its memory, whatever ids, slots and starts it is given', async () => {
    await model.reset([0, 4]);
    const wild = await model.logits([[-1, 1e9, 96, -2147483648]], [2147483647], [3]);
    expect(wild.every(Number.isFinite)).toBe(true);
    await model.reset([0]);
    const logits = await model.logits([prompt], [0], [47]);
    const wanted = (await golden.numbers('logits')).slice(47 * model.vocabularySize);
    expect(largestDifference(logits, wanted)).toBeLessThan(2e-5);
  });
});
