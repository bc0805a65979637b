import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
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
  await writeFile(join(path, 'model.safetensors.123.partial'), 'half');
  expect((await (await TrainingFolder.open(path)).forget(2)).map(({ step }) => step)).toEqual([1, 2]);
  expect(await readFile(join(path, 'log.jsonl'), 'utf8')).toBe('{"step":1,"loss":1}\n{"step":2,"loss":0.5}\n');
  expect(await stat(join(path, 'model.safetensors.123.partial')).catch(() => 'gone')).toBe('gone');

  const saved = await run.saved();
  const second = await small({ resume: saved });
  expect(second.step).toBe(2);
  const model = await openCheckpointFile(run.modelPath);
  expect(new Set([...model.tensors.values()].map(({ dtype }) => dtype))).toEqual(new Set(['f16']));
  await Promise.all([saved.close(), model.close(), trainer.close(), second.close()]);
});
