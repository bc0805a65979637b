import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openCheckpointFile } from '@receptance/checkpoint/node';
import { widen } from '@receptance/core';
import { afterAll, expect, test } from 'vitest';
import { golden, receptanceAll } from './support/receptance.ts';
import { storiesTokenizer } from './support/stories.ts';

const folder = await mkdtemp(join(tmpdir(), 'receptance-'));
afterAll(() => rm(folder, { recursive: true }));

async function numbers(name: string): Promise<number[]> {
  const file = await openCheckpointFile(golden('models/rwkv7_l2_c128_v97.golden.safetensors'));
  const { dtype = 'f64', shape = [] } = file.tensors.get(name) ?? {};
  const into = new Float64Array(shape[0] ?? 0);
  widen(dtype, await file.read(name), into);
  await file.close();
  return [...into];
}

interface Result {
  readonly nll: number;
  readonly ppl: number;
  readonly bitsPerByte?: number;
}

test('the loss is that of the golden file, from ids on the line or in a file, in one piece or in many', async () => {
  const [tokens, losses] = [await numbers('seq200'), await numbers('nll')];
  const path = join(folder, 'tokens.json');
  await writeFile(path, JSON.stringify(tokens));
  const command = ['perplexity', '--json', '--model', golden('models/rwkv7_l2_c128_v97.safetensors'), '--tokens'];
  const outcomes = await receptanceAll([
    [...command, tokens.join(), '--backend', 'reference'],
    [...command, `@${path}`, '--backend', 'reference', '--chunk', '7'],
    [...command, `@${path}`, '--backend', 'wasm'],
  ]);
  const mean = losses.reduce((sum, loss) => sum + loss, 0) / losses.length;
  for (const [i, bound] of [1e-6, 1e-6, 1e-4].entries()) {
    const { nll, ppl, ...rest } = JSON.parse(outcomes[i]?.stdout ?? '') as Result;
    expect(Math.abs(nll - mean)).toBeLessThan(bound);
    expect(ppl).toBeCloseTo(Math.exp(nll), 10);
    expect(rest).toMatchObject({ tokens: 200, predicted: 199 });
    expect(rest).not.toHaveProperty('bitsPerByte');
    expect(outcomes[i]).toMatchObject({ status: 0, stderr: '' });
  }
});

test('of many texts each end counts as a byte, and is read between them', async () => {
  const texts = ['Once upon a time.', '1 + 2 = 3'];
  const { encode, endOfText = 0 } = await storiesTokenizer();
  const ids = [endOfText, ...texts.flatMap((text) => [...encode(text), endOfText])];
  const [lines, wrong] = ['texts.jsonl', 'wrong.jsonl'].map((name) => join(folder, name));
  await writeFile(lines ?? '', texts.map((text) => `${JSON.stringify({ text })}\n`).join(''));
  await writeFile(wrong ?? '', '{"txt": 1}\n');
  const [many, one, bad] = await receptanceAll([
    ['perplexity', '--file', lines ?? '', '--json'],
    ['perplexity', '--tokens', ids.join(), '--json'],
    ['perplexity', '--file', wrong ?? '', '--json'],
  ]);
  const { nll } = JSON.parse(one?.stdout ?? '') as Result;
  const predicted = ids.length - 1;
  expect(JSON.parse(many?.stdout ?? '')).toMatchObject({ nll, bytes: 28, tokens: ids.length, predicted });
  const { bitsPerByte } = JSON.parse(many?.stdout ?? '') as Result;
  expect(bitsPerByte).toBeCloseTo((nll * predicted) / Math.LN2 / 28, 12);
  expect(bad?.status).toBe(1);
  expect(bad?.stdout).toMatch(/wrong.jsonl:1 has no text/);
});

test('of a text it also tells the bits per byte, whether on the line or in a file', async () => {
  const [path, text] = [join(folder, 'story.txt'), 'Once upon a time, there was a clever robin called Zoë.\n'];
  await writeFile(path, text);
  const [line, file, people, nonsense, coarse] = await receptanceAll([
    ['perplexity', '--text', text, '--json'],
    ['perplexity', '--file', path, '--json'],
    ['perplexity', '--file', path],
    ['perplexity', '--text', 'zqxj vkwq zzxq jjvk', '--json'],
    ['perplexity', '--text', text, '--weights', 'q4_0', '--json'],
  ]);
  const { nll, ppl, bitsPerByte } = JSON.parse(line?.stdout ?? '') as Result;
  const tokenizer = await storiesTokenizer();
  const tokens = tokenizer.encode(text);
  // The first token is not foreseen.
  const bytes = Buffer.byteLength(text) - tokenizer.bytes(tokens[0] ?? 0).length;
  expect(bitsPerByte).toBeCloseTo((nll * (tokens.length - 1)) / Math.LN2 / bytes, 12);
  expect(JSON.parse(file?.stdout ?? '')).toMatchObject({ nll, ppl, bitsPerByte, tokens: tokens.length, bytes });
  expect(people?.stdout).toMatch(
    new RegExp(`nll +${nll.toFixed(4)} nats per token\\n +ppl +${ppl.toPrecision(5)}\\n +bits per byte +[\\d.]+\\n`),
  );
  expect((JSON.parse(nonsense?.stdout ?? '') as Result).nll).toBeGreaterThan(2 * nll);
  const held = JSON.parse(coarse?.stdout ?? '') as Result;
  expect(held).toMatchObject({ weights: 'q4_0' });
  expect(held.nll).not.toBe(nll);
  expect(Math.abs(held.nll - nll)).toBeLessThan(0.3);
});
