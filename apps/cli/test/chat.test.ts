import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { storiesModel } from '@receptance/model-stories';
import { afterAll, expect, test } from 'vitest';
import { type Outcome, receptanceAll, start } from './support/receptance.ts';
import { storiesTokenizer } from './support/stories.ts';

const folder = await mkdtemp(join(tmpdir(), 'receptance-'));
afterAll(() => rm(folder, { recursive: true }));

const CHAT = ['chat', '--seed', '4', '--max-tokens', '12'];

function talk(lines: readonly string[], ...args: readonly string[]): Promise<Outcome> {
  const { running, ended } = start([...CHAT, ...args]);
  running.type(`${lines.join('\n')}\n`);
  running.endInput();
  return ended;
}

interface Answer {
  readonly text: string;
  readonly tokens: number;
  readonly finish: string;
  readonly length: number;
}

function answersOf({ stdout }: Outcome): Answer[] {
  return stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Answer);
}

test('answers each line of a pipe, each in the light of those before, and ends with it', async () => {
  const outcome = await talk(['Once upon', '', ' The'], '--json', '--backend', 'reference');
  expect(outcome).toMatchObject({ status: 0, stderr: '' });
  const answers = answersOf(outcome);
  const [first, second] = answers.map(({ text }) => text);
  expect(answers).toMatchObject([
    { tokens: 12, finish: 'length', length: 2 + 12 },
    { tokens: 12, finish: 'length', length: 2 + 12 + 1 + 12 },
  ]);
  // The same seed continues the same text in the same way.
  const generate = ['generate', '--backend', 'reference', '--seed', '4', '--max-tokens', '12', '--json', '--prompt'];
  const alone = await receptanceAll([
    [...generate, 'Once upon'],
    [...generate, `Once upon${first} The`],
  ]);
  expect(alone.map(({ stdout }) => (JSON.parse(stdout) as Answer).text)).toEqual([first, second]);
  const read = await talk(['Once upon', ' The'], '--backend', 'reference');
  expect(read).toEqual({ status: 0, stdout: `${first}\n${second}\n`, stderr: '' });
});

test('takes back, asks again, goes on in a copy, keeps and loads', async () => {
  const file = join(folder, 'state.safetensors');
  const settings = ['--json', '--temperature', '3', '--top-p', '1'];
  const lines = ['Once upon', '/undo', 'Once upon', '/retry', '/undo', 'Once upon', `/save ${file}`, ' The'];
  const outcome = await talk(lines, ...settings);
  expect(outcome.status).toBe(0);
  expect(outcome.stderr).toBe(`back at 0 tokens\nback at 0 tokens\n${file}: 14 tokens\n`);
  const [first, again, retried, third, next] = answersOf(outcome);
  expect(again).toEqual(first);
  expect(retried?.text).not.toBe(first?.text);
  expect(third).toEqual(first);
  const loaded = await talk(
    [`/load ${file}`, '/fork', ' Mia', '/go 1', ' The', '/go', '/exit', 'unheard'],
    ...settings,
  );
  const [, answered] = answersOf(loaded);
  expect(loaded.stderr).toBe(
    `${file}: 14 tokens\nin 2; /go 1 goes back\nin 1 of 1, 2; 14 tokens\nin 1 of 1, 2; ${answered?.length} tokens\n`,
  );
  expect(loaded.status).toBe(0);
  expect(answered).toEqual(next);
  expect(answersOf(loaded)).toHaveLength(2);
});

test('has turns of User and Assistant with a model that is given', async () => {
  const model = fileURLToPath(storiesModel);
  const [turns, plain] = await Promise.all([
    talk(['Hello!', 'Who are you?'], '--json', '--model', model),
    talk(['Hello!'], '--json', '--plain', '--model', model),
  ]);
  const [first, second] = answersOf(turns);
  const { encode } = await storiesTokenizer();
  const asked = encode('User: Hello!\n\nAssistant:').length;
  // The turn is ended for the next.
  expect(first?.length).toBeGreaterThanOrEqual(asked + (first?.tokens ?? 0));
  expect(first?.length).toBeLessThanOrEqual(asked + (first?.tokens ?? 0) + 2);
  expect(second?.length).toBeGreaterThan((first?.length ?? 0) + encode('User: Who are you?\n\nAssistant:').length);
  const [hello] = answersOf(plain);
  // With the token that ended it, if one did.
  const ended = hello?.finish === 'stop' ? 1 : 0;
  expect(hello?.length).toBe(encode('Hello!').length + (hello?.tokens ?? 0) + ended);
});

test('a conversation of other weights is loaded by force alone', async () => {
  const [saved, converted] = [join(folder, 'other.safetensors'), join(folder, 'other-weights.gguf')];
  await talk(['Once upon', `/save ${saved}`]);
  await receptanceAll([['convert', '--out', converted, '--dtype', 'q8_0']]);
  const elsewhere = ['--plain', '--model', converted];
  const refused = await talk([`/load ${saved}`], ...elsewhere);
  expect(refused).toMatchObject({ status: 1, stderr: expect.stringContaining('[STATE_OF_OTHER_WEIGHTS]') });
  const forced = await talk([`/load --force ${saved}`, ' The'], ...elsewhere);
  expect(forced).toMatchObject({ status: 0, stderr: `${saved}: 14 tokens\n` });
  expect(forced.stdout).not.toBe('');
});

test('shows what was said', async () => {
  const { stdout, stderr } = await talk(['/history', 'Once upon', '/history']);
  expect(stderr).toBe(`nothing was said yet, or it was loaded: a state is no text\n> Once upon\n${stdout.trim()}\n`);
});

test.each([
  ['/sing', 'UNKNOWN_COMMAND', 2],
  ['/go nowhere', 'BAD_OPTION', 2],
  ['/fork 1', 'BAD_OPTION', 2],
  ['/save', 'BAD_OPTION', 2],
  ['/undo', 'NOTHING_TO_UNDO', 1],
  [`/load ${join(folder, 'none')}`, 'FILE_NOT_FOUND', 1],
  [`/load ${fileURLToPath(import.meta.url)}`, 'BAD_HEADER|TRUNCATED_FILE|NOT_A_CHECKPOINT', 1],
])('%s ends a script with %s', async (line, code, status) => {
  const outcome = await talk([line, 'unheard']);
  expect(outcome.stderr).toMatch(new RegExp(`^error \\[(${code})\\]: .+\\nhint: .+\\n$`));
  expect(outcome).toMatchObject({ status, stdout: '' });
});

/** Slow, so that there is time to stop it. */
const SLOW = ['chat', '--backend', 'reference', '--seed', '1', '--max-tokens', '1000000'];

test('Ctrl-C stops an answer, and the next line is answered', async () => {
  let stage = 0;
  const { running, ended } = start(SLOW, ({ stdout, kill, type, endInput }) => {
    if (stage === 0 && stdout.length > 5) {
      stage = 1;
      kill('SIGINT');
    } else if (stage === 1 && stdout.includes('[stopped]\n')) {
      stage = 2;
      type('/undo\nThe sun\n');
    } else if (stage === 2 && stdout.split('[stopped]\n')[1] !== '') {
      stage = 3;
      endInput();
      kill('SIGINT');
    }
  });
  running.type('Once upon a time\n');
  const { status, stdout, stderr } = await ended;
  expect(stderr).toBe('back at 0 tokens\n');
  expect(stdout).toMatch(/^[^[]+ \[stopped\]\n[^[]+ \[stopped\]\n$/);
  expect(status).toBe(0);
});

test('Ctrl-C without an answer to stop leaves', async () => {
  const { running, ended } = start(CHAT, ({ stdout, kill }) => {
    if (stdout.endsWith('\n')) kill('SIGINT');
  });
  running.type('Once\n');
  expect(await ended).toMatchObject({ status: 130, stderr: '' });
});
