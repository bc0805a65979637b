import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openCheckpointFile } from '@receptance/checkpoint/node';
import { byteTokenizer } from '@receptance/tokenizer';
import { afterAll, expect, test } from 'vitest';
import { openTokens, prepareTokens, type TokenFile, TrainingFolder } from '../src/node.ts';
import { losses, small } from './support/small.ts';

const folder = await mkdtemp(join(tmpdir(), 'receptance-train-'));
afterAll(() => rm(folder, { recursive: true }));

const prepare = (data: string, out = 'tokens'): Promise<TokenFile> =>
  prepareTokens({ data, tokenizer: byteTokenizer(), tokenizerName: 'bytes', out: join(folder, out) });

async function textOf(file: TokenFile): Promise<string> {
  const text = Buffer.from(Uint8Array.from(Array.from(await file.read(0, file.length)))).toString();
  await file.close();
  return text;
}

test('a folder of texts and JSON lines becomes one file of tokens, documents ended by the end of text', async () => {
  await mkdir(join(folder, 'texts/more'), { recursive: true });
  await writeFile(join(folder, 'texts/b.txt'), 'Zoë sat.\n');
  await writeFile(join(folder, 'texts/a.jsonl'), '"one"\n\n{"text":"two","id":2}\n');
  await writeFile(join(folder, 'texts/more/c.MD'), '# three');
  await writeFile(join(folder, 'texts/picture.png'), 'no text');
  const file = await prepare(join(folder, 'texts'));
  expect(file.documents).toBe(4);
  expect(await textOf(file)).toBe('one\0two\0Zoë sat.\n\0# three\0');
});

test('tokens are made again only when the text has changed', async () => {
  const [text, out] = [join(folder, 'story.txt'), join(folder, 'story')];
  await writeFile(text, 'a story');
  await (await prepare(text, 'story')).close();
  const before = await stat(out);
  await (await prepare(text, 'story')).close();
  expect((await stat(out)).ino).toBe(before.ino);
  await writeFile(text, 'another story');
  expect(await textOf(await prepare(text, 'story'))).toBe('another story\0');
});

test('tokens are made again when their file is gone or cut short', async () => {
  const [text, out] = [join(folder, 'again.txt'), join(folder, 'again')];
  await writeFile(text, 'a story');
  await (await prepare(text, 'again')).close();
  await rm(out);
  expect(await textOf(await prepare(text, 'again'))).toBe('a story\0');
  await writeFile(out, 'a st');
  expect(await textOf(await prepare(text, 'again'))).toBe('a story\0');
});

test('trainings that are kept among the texts are no texts, nor is what lies beside the tokens', async () => {
  const path = join(folder, 'corpus');
  for (const name of ['run', 'old', 'by-hand', 'more']) await mkdir(join(path, name, 'below'), { recursive: true });
  await writeFile(join(path, 'a.txt'), 'one');
  await writeFile(join(path, 'more/options.json'), '{}');
  await writeFile(join(path, 'more/log.jsonl'), '"two"');
  for (const name of ['run', 'old', 'by-hand']) {
    await writeFile(join(path, name, 'log.jsonl'), '{"step":1,"loss":2}\n');
    await writeFile(join(path, name, 'below/sample.txt'), 'what it made');
  }
  await writeFile(join(path, 'old/data.tokens.json'), '{}');
  await writeFile(join(path, 'by-hand/training.safetensors'), '');
  expect(await textOf(await prepare(path, 'corpus/run/tokens'))).toBe('one\0two\0');
  // Asked for by its name, it is read.
  await expect(prepare(join(path, 'old'), 'old')).rejects.toThrow(/log.jsonl:1 has no text/);
  // Tokens that lie among the texts leave them out of nothing.
  await rm(join(path, 'run'), { recursive: true });
  expect(await textOf(await prepare(path, 'corpus/tokens'))).toBe('one\0two\0');
});

test('a line of JSON ends with a line feed alone', async () => {
  const lines = ['"a\u2028b\u2029c"', '', '"Zoë\\r\\n"\r', '"last"'];
  await writeFile(join(folder, 'lines.jsonl'), lines.join('\n'));
  expect(await textOf(await prepare(join(folder, 'lines.jsonl'), 'lines'))).toBe('a\u2028b\u2029c\0Zoë\r\n\0last\0');
  const long = Array.from({ length: 40 }, (_, i) => 'Zoë räumt auf. '.repeat(i * 120));
  await writeFile(join(folder, 'long.jsonl'), long.map((text) => `${JSON.stringify({ text })}\n`).join(''));
  expect(await textOf(await prepare(join(folder, 'long.jsonl'), 'long-lines'))).toBe(
    long.map((text) => `${text}\0`).join(''),
  );
});

test('a file that is gone while the others are read is named', async () => {
  for (const name of ['b.txt', 'b.jsonl']) {
    const path = join(folder, `gone-${name}`);
    await mkdir(path);
    for (const each of ['a.txt', name]) await writeFile(join(path, each), '"text"');
    const { encode, ...bytes } = byteTokenizer();
    const tokenizer = {
      ...bytes,
      encode(text: string) {
        rmSync(join(path, name), { force: true });
        return encode(text);
      },
    };
    const options = { data: path, tokenizer, tokenizerName: 'bytes', out: join(folder, 'gone') };
    const message = expect.stringContaining(join(path, name));
    await expect(prepareTokens(options)).rejects.toMatchObject({ code: 'READ_FAILED', message });
  }
});

test('a long text is read in pieces, wherever its characters and lines lie', async () => {
  const line = 'Zoë räumt auf – 🦊\n  und geht.\n\n';
  const text = line.repeat(Math.ceil((5 << 20) / 2 / Buffer.byteLength(line)));
  await writeFile(join(folder, 'long.txt'), text);
  expect(await textOf(await prepare(join(folder, 'long.txt'), 'long'))).toBe(`${text}\0`);
});

test('what is no text is refused by name and line', async () => {
  const refused = async (name: string, content: string | Uint8Array) => {
    await writeFile(join(folder, name), content);
    return prepare(join(folder, name), 'refused');
  };
  await expect(refused('bytes.txt', Uint8Array.of(65, 0xff, 66))).rejects.toThrow(/bytes.txt is not UTF-8/);
  await expect(refused('cut.txt', Uint8Array.of(65, 0xc3))).rejects.toThrow(/cut.txt is not UTF-8/);
  await expect(refused('bytes.jsonl', Uint8Array.of(34, 65, 0xff, 34))).rejects.toThrow(/bytes.jsonl:1 is not UTF-8/);
  await expect(refused('bad.jsonl', '"one"\n{"text"\n')).rejects.toThrow(/bad.jsonl:2 is no JSON/);
  await expect(refused('none.jsonl', '{"content":"one"}')).rejects.toThrow(/none.jsonl:1 has no text/);
  await expect(prepare(join(folder, 'nowhere'))).rejects.toMatchObject({ code: 'FILE_NOT_FOUND' });
  await mkdir(join(folder, 'empty'));
  await expect(prepare(join(folder, 'empty'))).rejects.toMatchObject({ code: 'NO_DOCUMENTS' });
  expect(await stat(join(folder, 'refused')).catch(() => 'not there')).toBe('not there');
});

test('a file of tokens that was cut short is refused', async () => {
  await writeFile(join(folder, 'short.txt'), 'some text');
  await (await prepare(join(folder, 'short.txt'), 'short')).close();
  await writeFile(join(folder, 'short'), 'some');
  await expect(openTokens(join(folder, 'short'))).rejects.toThrow(/holds 4 tokens, not 10/);
});

/** The number of a process that is no more. */
function gone(): number {
  return spawnSync(process.execPath, ['--version']).pid;
}

test('nothing is tidied up but files of the training that a process which is gone had half written', async () => {
  const path = join(folder, 'tidy');
  const [mine, dead, parent] = [process.pid, gone(), process.ppid];
  const keep = ['movie.mkv.partial', 'model.safetensors.partial', `movie.mkv.${dead}.1.partial`];
  keep.push(`model.safetensors.${parent}.1.partial`);
  const left = [
    ['log.jsonl', mine],
    ['training.safetensors', dead],
    ['options.json', dead],
  ] as const;
  const remove = left.map(([file, pid]) => `${file}.${pid}.1.partial`);
  await mkdir(join(path, 'run.partial'), { recursive: true });
  for (const name of [...keep, ...remove]) await writeFile(join(path, name), 'half');
  await TrainingFolder.open(path, ['options.json']);
  expect((await readdir(path)).sort()).toEqual([...keep, 'run.partial'].sort());
});

test('a folder knows the model that lies in it, whatever the way there', async () => {
  const at = (name: string): string => join(folder, 'models', name);
  for (const name of ['hf/run', 'blobs', 'linked', 'links']) await mkdir(at(name), { recursive: true });
  for (const name of ['hf/model.safetensors', 'hf/run/model.safetensors', 'blobs/1']) await writeFile(at(name), '');
  await symlink(at('hf'), at('same'));
  await symlink(at('blobs/1'), at('linked/model.safetensors'));
  await symlink(at('hf/model.safetensors'), at('links/shard.safetensors'));
  const holds = async (name: string, model: string): Promise<boolean> =>
    (await TrainingFolder.open(at(name))).holdsModel(model);
  const index = 'links/model.safetensors.index.json';
  for (const model of [
    'hf',
    'hf/',
    'hf/model.safetensors',
    'hf/run/..',
    'same',
    'same/model.safetensors',
    'links',
    index,
  ]) {
    expect(await holds('hf', `${at('')}/${model}`), model).toBe(true);
  }
  expect(await holds('same/', at('hf/model.safetensors'))).toBe(true);
  expect(await holds('linked', at('linked/model.safetensors'))).toBe(true);
  expect(await holds('blobs', at('linked/model.safetensors'))).toBe(true);
  for (const model of ['hf/run', 'hf/run/model.safetensors', 'linked', 'nowhere/model.safetensors']) {
    expect(await holds('hf', at(model)), model).toBe(false);
  }
  expect(await holds('hf/run', at('hf'))).toBe(false);
});

test('a folder keeps training, model and log; what a killed process left is tidied up', async () => {
  const path = join(folder, 'run');
  const run = await TrainingFolder.open(path);
  expect(await run.isBegun()).toBe(false);
  const trainer = await small();
  await losses(trainer, 2);
  await run.save(trainer, 'f16');
  expect(await run.isBegun()).toBe(true);
  for (const step of [1, 2, 3]) await run.log({ step, loss: 1 / step });
  await writeFile(join(path, 'log.jsonl'), '{"step":4,"lo', { flag: 'a' });
  const half = `model.safetensors.${gone()}.1.partial`;
  await writeFile(join(path, half), 'half');
  expect((await (await TrainingFolder.open(path)).forget(2)).map(({ step }) => step)).toEqual([1, 2]);
  expect(await readFile(join(path, 'log.jsonl'), 'utf8')).toBe('{"step":1,"loss":1}\n{"step":2,"loss":0.5}\n');
  expect(await stat(join(path, half)).catch(() => 'gone')).toBe('gone');
  expect((await run.held()).sort()).toEqual(['log.jsonl', 'model.safetensors', 'training.safetensors']);

  const saved = await run.saved();
  const second = await small({ resume: saved });
  expect(second.step).toBe(2);
  const model = await openCheckpointFile(run.modelPath);
  expect(new Set([...model.tensors.values()].map(({ dtype }) => dtype))).toEqual(new Set(['f16']));
  await Promise.all([saved.close(), model.close(), trainer.close(), second.close()]);
});
