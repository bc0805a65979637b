import { cp, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openCheckpointFile } from '@receptance/checkpoint/node';
import { storiesModel } from '@receptance/model-stories';
import { afterAll, expect, test } from 'vitest';
import { receptance, receptanceAll, start } from './support/receptance.ts';

const folder = await mkdtemp(join(tmpdir(), 'receptance-train-'));
afterAll(() => rm(folder, { recursive: true }));

const data = join(folder, 'data.txt');
await writeFile(data, 'The cat sat on the mat. The dog sat on the log. A bird sat in a tree.\n'.repeat(60));

const path = (name: string): string => join(folder, name);
const small = ['--layers', '1', '--width', '32', '--head-size', '32', '--batch', '2', '--length', '32', '--seed', '3'];
const train = (out: string, ...more: string[]): string[] => ['train', '--data', data, '--out', path(out), ...more];

interface Result {
  readonly step: number;
  readonly loss: number;
  readonly heldOut: number;
  readonly model: string;
}

interface Line {
  readonly step: number;
  readonly loss?: number;
}

async function steps(out: string): Promise<number[]> {
  const text = await readFile(join(path(out), 'log.jsonl'), 'utf8').catch(() => '');
  const lines = text.split('\n').filter((line) => line.endsWith('}'));
  return lines
    .map((line) => JSON.parse(line) as Line)
    .filter(({ loss }) => loss !== undefined)
    .map(({ step }) => step);
}

test('a model is trained, kept, measured, drawn, and continues texts', async () => {
  const options = ['--steps', '60', '--rate', '0.01', '--evaluate-every', '30', '--dtype', 'f16', '--json'];
  const [trained, again] = await receptanceAll([
    train('run', ...small, ...options),
    train('run', ...small, ...options),
  ]);
  expect(trained?.status, trained?.stderr).toBe(0);
  const result = JSON.parse(trained?.stdout ?? '') as Result;
  expect(result).toMatchObject({
    step: 60,
    steps: 60,
    out: path('run'),
    model: join(path('run'), 'model.safetensors'),
  });
  expect(result.loss).toBeLessThan(1.5);
  expect(result.heldOut).toBeLessThan(1.5);
  expect(await steps('run')).toEqual(Array.from({ length: 60 }, (_, i) => i + 1));
  const page = await readFile(join(path('run'), 'loss.html'), 'utf8');
  expect(page).toMatch(/<svg/);
  expect(page).not.toMatch(/<script|http-equiv|src=/);
  const model = await openCheckpointFile(result.model);
  expect(model.tensors.get('blocks.0.att.w0')).toMatchObject({ dtype: 'f16', shape: [1, 1, 32] });
  await model.close();
  expect(again?.stdout).toContain('holds a training already');

  const [text, loss] = await receptanceAll([
    ['generate', '--model', result.model, '--prompt', 'The cat', '--greedy', '--max-tokens', '8', '--json'],
    ['perplexity', '--model', result.model, '--text', 'The dog sat on the mat.', '--json'],
  ]);
  expect(text?.status, text?.stderr).toBe(0);
  expect((JSON.parse(loss?.stdout ?? '') as { nll: number }).nll).toBeLessThan(2);
});

test('killed at any point and resumed, it ends with the same bytes as a run that nobody disturbed', async () => {
  const options = [
    ...small,
    '--steps',
    '40',
    '--save-every',
    '5',
    '--stream',
    '--accumulate',
    '2',
    '--evaluate-every',
    '15',
  ];
  const whole = await receptance(train('whole', ...options));
  expect(whole.status, whole.stderr).toBe(0);

  let args = train('killed', ...options);
  let ended = false;
  for (let kill = 0; !ended && kill < 12; kill++) {
    const { running, ended: process } = start(args);
    const target = (await steps('killed').catch(() => [])).length + 4 + 5 * kill;
    const watch = setInterval(async () => {
      if ((await steps('killed')).length >= target) running.kill('SIGKILL');
    }, 5);
    const { status, stderr } = await process;
    clearInterval(watch);
    ended = status !== null;
    expect(ended ? status : 0, stderr).toBe(0);
    args = ['train', '--out', path('killed'), '--resume'];
  }
  expect(ended).toBe(true);
  for (const name of ['model.safetensors', 'training.safetensors']) {
    const [want, got] = [await readFile(join(path('whole'), name)), await readFile(join(path('killed'), name))];
    expect(got.equals(want), name).toBe(true);
  }
  expect(await steps('killed')).toEqual(await steps('whole'));
});

test('a rate beyond reason ends the run with the step and a tensor, and keeps what was saved', async () => {
  const options = [...small, '--rate', '1e30', '--warmup', '0', '--save-every', '1', '--steps', '9', '--json'];
  const [failed] = await receptanceAll([train('diverged', ...options)]);
  expect(failed?.status).toBe(1);
  const { error } = JSON.parse(failed?.stdout ?? '') as { error: { code: string; message: string } };
  expect(error.code).toBe('NOT_FINITE');
  expect(error.message).toMatch(/step \d: the (gradient|weights) of \S+ (is|are) not finite/);
  expect(await readFile(join(path('diverged'), 'loss.html'), 'utf8')).not.toContain('http-equiv');
});

test('Ctrl-C saves and stops; --resume goes on from there', async () => {
  const args = train('stopped', ...small, '--steps', '100000', '--save-every', '100000');
  const { running, ended } = start(args);
  const watch = setInterval(async () => {
    if ((await steps('stopped')).length >= 3) {
      clearInterval(watch);
      running.kill('SIGINT');
    }
  }, 10);
  const { status, stdout } = await ended;
  clearInterval(watch);
  expect(status).toBe(130);
  const done = Number(/steps +(\d+) of 100000: --resume goes on/.exec(stdout)?.[1]);
  expect(done).toBeGreaterThanOrEqual(3);
  const saved = await openCheckpointFile(join(path('stopped'), 'training.safetensors'));
  expect(saved.metadata['step']).toBe(String(done));
  await saved.close();

  const again = start(['train', '--out', path('stopped'), '--resume']);
  const stop = setInterval(async () => {
    if ((await steps('stopped')).length > done) {
      clearInterval(stop);
      again.running.kill('SIGINT');
    }
  }, 10);
  const second = await again.ended;
  clearInterval(stop);
  expect(second.stderr).toContain(`goes on after step ${done} of 100000`);
  const numbers = await steps('stopped');
  expect(numbers).toEqual(numbers.map((_, i) => i + 1));
});

test('adapters and initial states of a model that is there', async () => {
  const model = storiesModel.pathname;
  const options = ['--model', model, '--steps', '3', '--batch', '1', '--length', '32', '--seed', '1', '--json'];
  const outcomes = await receptanceAll([
    train('lora', '--lora', '4', ...options),
    train('state', '--state', '--rate', '0.1', ...options),
  ]);
  for (const { status, stderr } of outcomes) expect(status, stderr).toBe(0);
  const [lora, state] = [
    await openCheckpointFile(join(path('lora'), 'model.safetensors')),
    await openCheckpointFile(join(path('state'), 'model.safetensors')),
  ];
  expect([...lora.tensors.keys()].some((name) => name.includes('lora'))).toBe(false);
  expect(state.tensors.has('blocks.4.att.time_state')).toBe(true);
  await Promise.all([lora.close(), state.close()]);
});

test('a model that is to be trained further is never replaced, nor one that lies there without --force', async () => {
  await mkdir(path('hf'));
  const model = join(path('hf'), 'model.safetensors');
  await cp(storiesModel, model);
  const options = ['--steps', '1', '--batch', '1', '--length', '32', '--seed', '1'];
  const outcomes = await receptanceAll([
    train('hf', '--lora', '2', '--model', path('hf'), ...options),
    train('hf', '--force', '--model', model, ...options),
    train('hf', ...small, '--steps', '1'),
  ]);
  for (const each of outcomes.slice(0, 2)) {
    expect(each.stderr).toMatch(/BAD_OPTION.* lies in .*hf, where the trained model will be/);
    expect(each.status).toBe(2);
  }
  expect(outcomes[2]?.stderr).toMatch(/FILE_EXISTS.*hf holds model.safetensors already/);
  expect(await readdir(path('hf'))).toEqual(['model.safetensors']);
  expect((await readFile(model)).equals(await readFile(storiesModel))).toBe(true);
  // Begun by a version that did not refuse it.
  await writeFile(join(path('hf'), 'options.json'), JSON.stringify({ model: path('hf') }));
  const [again, forced] = await receptanceAll([
    ['train', '--out', path('hf'), '--resume'],
    train('hf', '--force', ...small, '--steps', '1', '--json'),
  ]);
  expect(again?.stderr).toMatch(/lies in .*hf/);
  expect(forced?.status, forced?.stderr).toBe(0);
  expect((await readFile(model)).equals(await readFile(storiesModel))).toBe(false);
});

test('a training may be kept among its texts, and goes on; what was half written of it is removed', async () => {
  await mkdir(path('texts'));
  await cp(data, join(path('texts'), 'a.txt'));
  const out = join(path('texts'), 'run');
  const begin = ['train', '--data', path('texts'), '--out', out, ...small, '--steps', '2'];
  const [first] = await receptanceAll([begin]);
  expect(first?.status, first?.stderr).toBe(0);
  const half = ['options.json', 'loss.html', 'data.tokens', 'data.tokens.json', 'validation.tokens', 'log.jsonl'];
  // Beyond all numbers of processes.
  for (const name of half) await writeFile(join(out, `${name}.2147483647.1.partial`), 'half');
  const [again] = await receptanceAll([['train', '--out', out, '--resume']]);
  expect(again?.status, again?.stderr).toBe(0);
  expect(again?.stderr).toContain('goes on after step 2 of 2');
  expect((await readdir(out)).filter((name) => name.endsWith('.partial'))).toEqual([]);
});

test('wrong command lines are told so before anything is made', async () => {
  const cases = [
    [['train', '--data', data], /--out is missing/],
    [['train', '--out', path('none')], /--data is missing/],
    [['train', '--out', path('none'), '--resume', '--steps', '3'], /--steps does not go with --resume/],
    [train('none', '--lora', '4'), /--lora needs a trained model/],
    [train('none', '--alpha', '4'), /--alpha is for adapters/],
    [train('none', '--architecture', 'rwkv8'), /--architecture rwkv8 is not known/],
    [train('none', '--rate', 'fast'), /--rate must be a number/],
    [train('none', '--decay', '0.5'), /--decay is for --schedule wsd/],
    [train('none', '--optimiser', 'sgd'), /--optimiser sgd is not known/],
    [train('none', '--held-out', '1'), /leaves nothing to learn/],
    [['train', '--data', folder, '--out', `${folder}/`, '--steps', '1'], /--out is the folder of --data/],
    [train('none', '--model', 'x.pth', '--width', '64'), /--width does not go with --model/],
  ] as const;
  const outcomes = await receptanceAll(cases.map(([args]) => args));
  for (const [i, [, message]] of cases.entries()) {
    expect(outcomes[i]?.stderr).toMatch(message);
    expect(outcomes[i]?.status).toBe(2);
  }
  expect(await stat(path('none')).catch(() => 'not there')).toBe('not there');
  const [nothing, short, wide] = await receptanceAll([
    ['train', '--out', path('nothing'), '--resume'],
    train('short', '--length', '100000', '--seed', '1'),
    train('wide', '--width', '100', '--seed', '1'),
  ]);
  expect(nothing?.stderr).toMatch(/NOTHING_TO_RESUME/);
  expect(await stat(path('nothing')).catch(() => 'not there')).toBe('not there');
  // What never began is nothing to go on with, and stands in nobody's way.
  const [retried] = await receptanceAll([train('wide', ...small, '--steps', '1')]);
  expect(retried?.status, retried?.stderr).toBe(0);
  expect(short?.stderr).toMatch(/DATA_TOO_SHORT.*at least 100001 are needed/);
  expect(wide?.stderr).toMatch(/heads of 64 do not make a width of 100/);
});
