import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openCheckpointFile } from '@receptance/checkpoint/node';
import { widen } from '@receptance/core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { golden, type Outcome, receptanceAll } from './support/receptance.ts';

const folder = await mkdtemp(join(tmpdir(), 'receptance-'));
afterAll(() => rm(folder, { recursive: true }));

/** Tokens whose losses are measured. */
const MEASURED = 40;

interface Model {
  readonly file: string;
  /** The file of what is expected of it. */
  readonly results: string;
  /** Ends the names of the results that are for weights rounded as this file's are. */
  readonly suffix: string;
}

/** Every checkpoint among the golden files, with the results that were computed elsewhere for it. */
async function modelsOf(names: readonly string[]): Promise<Model[]> {
  const results = names.filter((name) => name.endsWith('.golden.safetensors'));
  const checkpoints = names.filter((name) => !/\.(golden|grads)\.safetensors$|\.json$|\.md$/.test(name));
  return checkpoints.map((file) => {
    const stems = [file, file.replace(/\.((bf16|fp16)\.)?(pth|safetensors)$/, '')];
    const found = results.find((name) => stems.includes(name.replace('.golden.safetensors', '')));
    if (found === undefined) throw new Error(`there are no results for ${file}`);
    return { file, results: found, suffix: /\.(bf16|fp16)\./.exec(file)?.[1] ?? '' };
  });
}

type Tensors = ReadonlyMap<string, Float64Array>;

async function read(path: string): Promise<Tensors> {
  const file = await openCheckpointFile(path);
  const tensors = new Map<string, Float64Array>();
  for (const [name, { dtype, shape }] of file.tensors) {
    const numbers = new Float64Array(shape.reduce((product, size) => product * size, 1));
    widen(dtype, await file.read(name), numbers);
    tensors.set(name, numbers);
  }
  await file.close();
  return tensors;
}

const models = await modelsOf(await readdir(golden('models')));
const wanted = new Map<string, Tensors>();
for (const { results } of models) wanted.set(results, await read(golden(`models/${results}`)));

function resultsOf({ results, suffix }: Model) {
  const tensors = wanted.get(results) ?? new Map<string, Float64Array>();
  // Models that there are in one rounding only have results without a suffix.
  const own = suffix !== '' && tensors.has(`logits_r${suffix}w`) ? suffix : '';
  const rounded = own === '' ? '' : `_r${own}w`;
  const of = (name: string): Float64Array => tensors.get(name) ?? new Float64Array();
  return { of, rounded, isPlain: rounded === '' };
}

const file = (name: string): string => golden(`models/${name}`);
const out = (i: number): string => join(folder, `${i}.safetensors`);
let outcomes: readonly Outcome[] = [];
const [LOGITS, GREEDY, LOSSES] = [0, 1, 2];
const outcomeOf = (i: number, command: number): Outcome | undefined => outcomes[3 * i + command];

beforeAll(async () => {
  const commandLines = models.map(async (model, i) => {
    const { of } = resultsOf(model);
    const ids = async (name: string, tokens: Float64Array): Promise<string> => {
      const path = join(folder, `${i}.${name}.json`);
      await writeFile(path, JSON.stringify([...tokens]));
      return `@${path}`;
    };
    const prompt = await ids('prompt', of('prompt'));
    const text = of('seq200').length > 0 ? of('seq200').slice(0, MEASURED) : of('prompt');
    const at = ['--model', file(model.file), '--tokens'];
    return [
      ['logits', ...at, prompt, '--backend', 'reference', '--out', out(i)],
      ['generate', ...at, prompt, '--greedy', '--max-tokens', '16', '--stop-tokens', '', '--json'],
      ['perplexity', ...at, await ids('text', text), '--json'],
    ];
  });
  outcomes = await receptanceAll((await Promise.all(commandLines)).flat());
}, 300_000);

test('models of every version and format are among them', () => {
  const all = models.map(({ file }) => file).join(' ');
  for (const version of ['rwkv4_', 'rwkv50_', 'rwkv51_', 'rwkv5_', 'rwkv6_', 'rwkv7_']) expect(all).toContain(version);
  for (const format of ['.pth', 'bf16.pth', 'fp16.safetensors', '_hf ', 'f32.gguf', 'f16.gguf', 'q8_0', 'q4_0', 'q4_k'])
    expect(`${all} `).toContain(format);
});

describe.each(models.map((model, i) => [model.file, model, i] as const))('%s', (_, model, i) => {
  const { of, rounded, isPlain } = resultsOf(model);

  test('logits and states are those of the golden file', async () => {
    expect(outcomeOf(i, LOGITS)).toMatchObject({ status: 0 });
    const written = await read(out(i));
    expect(written.size).toBeGreaterThan(1);
    for (const [name, got] of written) {
      const want = name === 'logits' ? of(`logits${rounded}`) : of(name);
      if (name !== 'logits' && (!isPlain || want.length === 0)) continue;
      expect(got.length, name).toBe(want.length);
      const scale = want.reduce((most, x) => Math.max(most, Math.abs(x)), 1);
      const worst = got.reduce((most, x, at) => Math.max(most, Math.abs(x - (want[at] ?? Number.NaN))), 0);
      // The command writes f32. The goldens on rounded weights have a rounded decay constant, too.
      expect(worst / scale, name).toBeLessThan(isPlain ? 1e-7 : 1e-6);
    }
  });

  test('the greedy continuation is that of the golden file', () => {
    const greedy = of(`greedy${rounded}`);
    const { status, stdout = '' } = outcomeOf(i, GREEDY) ?? {};
    expect(status).toBe(0);
    const { tokens } = JSON.parse(stdout) as { tokens: readonly number[] };
    expect(tokens).toHaveLength(16);
    if (greedy.length > 0) expect(tokens).toEqual([...greedy]);
  });

  test('the loss is that of the golden file', () => {
    const { status, stdout = '' } = outcomeOf(i, LOSSES) ?? {};
    expect(status).toBe(0);
    const { nll, predicted } = JSON.parse(stdout) as { nll: number; predicted: number };
    const losses = of('nll').slice(0, MEASURED - 1);
    if (!isPlain || losses.length === 0) return;
    expect(predicted).toBe(losses.length);
    expect(Math.abs(nll - losses.reduce((sum, loss) => sum + loss, 0) / losses.length)).toBeLessThan(1e-5);
  });
});
