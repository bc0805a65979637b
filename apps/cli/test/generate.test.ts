import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openCheckpointFile } from '@receptance/checkpoint/node';
import { widen } from '@receptance/core';
import { expect, test } from 'vitest';
import { golden, receptance, receptanceAll } from './support/receptance.ts';
import { storiesTokenizer } from './support/stories.ts';

const MODEL = golden('models/rwkv7_l2_c128_v97.safetensors');

async function integers(name: string): Promise<number[]> {
  const file = await openCheckpointFile(golden('models/rwkv7_l2_c128_v97.golden.safetensors'));
  const numbers = new Float64Array(file.tensors.get(name)?.shape[0] ?? 0);
  widen('i32', await file.read(name), numbers);
  await file.close();
  return [...numbers];
}

test.each(['reference', 'wasm'])(
  'continues golden tokens as the outside implementation does, on %s',
  async (backend) => {
    const tokens = (await integers('prompt')).join(',');
    const args = ['--model', MODEL, '--tokens', tokens, '--greedy', '--max-tokens', '16', '--backend', backend];
    const { status, stdout, stderr } = await receptance(['generate', ...args, '--json']);
    expect(stderr).toBe('');
    expect(status).toBe(0);
    const result: unknown = JSON.parse(stdout);
    const timings = { promptTokens: 48, loadMs: expect.any(Number), tokensPerSecond: expect.any(Number) };
    const expected = { tokens: await integers('greedy'), text: null, finish: 'length', backend, model: MODEL };
    expect(result).toMatchObject({ ...expected, timings });
  },
);

test('prints ids where there is no tokenizer, and one line about speed on stderr', async () => {
  const args = ['generate', '--model', MODEL, '--tokens', '1,2,3', '--greedy', '--max-tokens', '5'];
  const { status, stdout, stderr } = await receptance(args);
  expect(status).toBe(0);
  expect(stdout).toMatch(/^\d+( \d+){4}\n$/);
  expect(stderr).toMatch(/^5 tokens, [\d.]+ tokens\/s \(.*\)\n$/);
});

test('the bundled model tells a story; the same seed tells the same one, streamed or not', async () => {
  const args = ['generate', '--seed', '5', '--max-tokens', '24', '--backend', 'reference'];
  const [streamed, whole] = await Promise.all([receptance(args), receptance([...args, '--json'])]);
  const { tokens, text, seed } = JSON.parse(whole.stdout) as { tokens: number[]; text: string; seed: number };
  expect(tokens).toHaveLength(24);
  expect((await storiesTokenizer()).decode(tokens)).toBe(text);
  expect(seed).toBe(5);
  expect(streamed.stdout).toBe(`Once upon a time${text}\n`);
});

test('a stop token is none of the tokens, also where text was held back until it came', async () => {
  const args = ['generate', '--prompt', 'Once upon a time', '--greedy', '--json'];
  interface Made {
    readonly tokens: readonly number[];
    readonly timings: { readonly promptTokens: number };
  }
  const made = async (...more: string[]): Promise<Made> => JSON.parse((await receptance([...args, ...more])).stdout);
  const { tokens, timings } = await made('--max-tokens', '3');
  const [first = 0, second = 0, third = 0] = tokens;
  const { decode } = await storiesTokenizer();
  const held = ['--stop', `${decode([second])}Z`, '--stop-tokens', String(third)];
  expect(await made(...held)).toMatchObject({
    ...{ tokens: [first, second], text: decode([first, second]), finish: 'stop' },
    timings: { promptTokens: timings.promptTokens },
  });
});

test('--tokenizer reads a World vocabulary', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'receptance-'));
  const vocabulary = join(folder, 'vocabulary.txt');
  const hex = (byte: number): string => byte.toString(16).padStart(2, '0');
  const lines = Array.from({ length: 256 }, (_, byte) => `${byte + 1} b'\\x${hex(byte)}' 1`);
  // Bytes as the model knows them, other words for its words, and one more than it has.
  const words = Array.from({ length: 639 }, (_, i) => `${257 + i} '#${257 + i}#' 5`);
  await writeFile(vocabulary, `${[...lines, ...words, "896 'Once' 4"].join('\n')}\n`);
  const args = ['--tokenizer', vocabulary, '--prompt', 'On a day', '--greedy', '--max-tokens', '6', '--json'];
  const { status, stdout } = await receptance(['generate', ...args]);
  expect(status).toBe(0);
  const { tokens, text, timings } = JSON.parse(stdout) as { tokens: number[]; text: string; timings: unknown };
  expect(timings).toMatchObject({ promptTokens: 8 });
  expect(text).toBe(tokens.map((id) => (id > 256 ? `#${id}#` : String.fromCharCode(id - 1))).join(''));
  const refused = await receptance(['generate', '--tokenizer', vocabulary, '--prompt', 'Once']);
  expect(refused.stderr).toContain('[TOKEN_OUT_OF_RANGE]');
  await writeFile(vocabulary, '1 x 1\n');
  expect((await receptance(['generate', '--tokenizer', vocabulary])).stderr).toContain('[BAD_VOCABULARY]');
  await rm(folder, { recursive: true });
});

test('no tokens are a legal number of them: the prompt alone is shown', async () => {
  expect((await receptance(['generate', '--max-tokens', '0', '--prompt', 'Mia'])).stdout).toBe('Mia\n');
  const { status, stdout } = await receptance(['generate', '--max-tokens', '0', '--json']);
  expect(status).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ tokens: [], text: '', finish: 'length' });
});

test('--stop ends the text before a text of its own', async () => {
  const settings = ['generate', '--seed', '1', '--json', '--prompt', 'Once', '--max-tokens', '100'];
  const [whole, cut] = (await receptanceAll([settings, [...settings, '--stop', '.']])).map(
    ({ stdout }) => JSON.parse(stdout) as { text: string; finish: string },
  );
  expect(whole?.text).toContain('.');
  expect(cut).toMatchObject({ text: whole?.text.split('.')[0], finish: 'stop' });
});

const ENDLESS = ['generate', '--stop-tokens', '', '--max-tokens', '1000000', '--backend', 'reference'];

test('Ctrl-C ends it with status 130 and keeps what was made', async () => {
  let interrupted = false;
  const { status, stdout, stderr } = await receptance([...ENDLESS, '--seed', '1'], ({ stdout, kill }) => {
    // A second one would end it at once.
    if (stdout.length < 30 || interrupted) return;
    interrupted = true;
    kill('SIGINT');
  });
  expect(status).toBe(130);
  expect(stdout).toMatch(/\n$/);
  const made = Number(/^(\d+) tokens, /.exec(stderr)?.[1]);
  const words = stdout.trim().split(/\s+/).length - 'Once upon a time'.split(' ').length;
  expect(made).toBeGreaterThanOrEqual(words - 1);
});

test('it ends quietly when nobody reads on', async () => {
  const { status, stderr } = await receptance(ENDLESS, ({ stopReading }) => stopReading());
  expect(status).toBe(0);
  expect(stderr).not.toMatch(/error|EPIPE/);
});
