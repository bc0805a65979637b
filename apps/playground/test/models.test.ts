/** Models of a person's own: every format, on WASM and WebGPU, and what is no model. */
import { readFile } from 'node:fs/promises';
import { reference } from '@receptance/backend-reference';
import { writeSafetensors } from '@receptance/checkpoint';
import { openCheckpointFile } from '@receptance/checkpoint/node';
import { type Tokenizer, worldTokenizerFromTokens } from '@receptance/tokenizer';
import { huggingFaceTokenizer } from '@receptance/tokenizer/huggingface';
import { loadFile } from 'receptance/node';
import { describe, expect, test } from 'vitest';
import { byteLevel } from '../../../packages/tokenizer/test/support/huggingface.ts';
import { goldenModels } from './support/golden.ts';
import { drop, golden, modelOpened, type OpenPage, openPage, useBackend, written } from './support/page.ts';

const models = await goldenModels();
/** Weights that are the same in two files are one model, whose texts would be there again. */
const SETTINGS = { greedy: true, maxTokens: 16, probabilities: false, keepTexts: false };
/** One in each container: on a software GPU every model takes its time. */
const ON_WEBGPU = ['rwkv4_l3_c64_v97.pth', 'rwkv6_l2_c128_v97.safetensors', 'rwkv7_l2_c128_v97.q8_0.gguf'];

async function continuation({ page }: OpenPage, file: string, prompt: readonly number[]): Promise<number[]> {
  await drop(page, golden(file));
  await modelOpened(page, file.split('/').at(-1) ?? file);
  await page.getByRole('textbox', { name: 'Words to go on with' }).fill(prompt.join(' '));
  await page.getByRole('button', { name: 'Write', exact: true }).click();
  return (await written(page)).split(/\s+/).map(Number);
}

test('there is a model of every version and format', () => {
  const all = models.map(({ file }) => file).join(' ');
  for (const version of ['rwkv4_', 'rwkv50_', 'rwkv51_', 'rwkv5_', 'rwkv6_', 'rwkv7_']) expect(all).toContain(version);
  for (const format of ['.pth', 'bf16.pth', 'fp16.safetensors', '_hf/', 'f32.gguf', 'f16.gguf', 'q8_0', 'q4_0', 'q4_k'])
    expect(all).toContain(format);
});

test('every golden file, dropped, goes on as was computed outside', async () => {
  const opened = await openPage({ settings: SETTINGS });
  await written(opened.page);
  for (const { file, prompt, greedy } of models.filter(({ file: name }) => !name.includes('_tok_'))) {
    expect((await continuation(opened, file, prompt)).slice(0, greedy.length), file).toEqual(greedy);
  }
  await opened.close();
});

test('and so on WebGPU', async () => {
  const opened = await openPage({ settings: SETTINGS });
  await written(opened.page);
  await useBackend(opened.page, 'WebGPU');
  for (const { file, prompt, greedy } of models.filter(({ file: name }) => ON_WEBGPU.includes(name))) {
    expect((await continuation(opened, file, prompt)).slice(0, greedy.length), file).toEqual(greedy);
    expect(await opened.page.locator('.top .badge').innerText()).toBe('WebGPU');
  }
  await opened.close();
});

test('a .gguf brings its vocabulary along, and takes words', async () => {
  const opened = await openPage({ settings: SETTINGS });
  await written(opened.page);
  await drop(opened.page, golden('rwkv7_l2_c128_tok_v600.f16.gguf'));
  await modelOpened(opened.page, 'rwkv7_l2_c128_tok_v600.f16.gguf');
  await opened.page.getByRole('textbox', { name: 'Words to go on with' }).fill('Hello world');
  await opened.page.getByRole('button', { name: 'Write', exact: true }).click();
  await written(opened.page);
  expect(await opened.page.locator('.figures').innerText()).toContain('20 tokens');
  await opened.close();
});

describe('a vocabulary, where a file has none', () => {
  const gguf = golden('rwkv7_l2_c128_tok_v600.f16.gguf');

  /** The weights of the `.gguf` alone. */
  async function weights(): Promise<Uint8Array> {
    const file = await openCheckpointFile(gguf);
    const tensors = [...file.tensors].map(async ([name, info]) => ({ name, ...info, data: await file.read(name) }));
    const bytes = writeSafetensors(await Promise.all(tensors));
    await file.close();
    return bytes;
  }

  /** What the model writes after “Hello world”, with a tokenizer or its own. */
  async function wanted(tokenizer?: Tokenizer): Promise<string> {
    const model = await loadFile(gguf, { backend: reference(), ...(tokenizer && { tokenizer }) });
    const session = await model.session();
    let text = '';
    for await (const piece of session.generate({ prompt: 'Hello world', greedy: true, maxTokens: 16 }))
      text += piece.text;
    await model.close();
    return text.trim();
  }

  async function helloWorld({ page }: OpenPage): Promise<string> {
    await page.getByRole('textbox', { name: 'Words to go on with' }).fill('Hello world');
    await page.getByRole('button', { name: 'Write', exact: true }).click();
    return written(page);
  }

  test('World, dropped after the model', async () => {
    const opened = await openPage({ settings: SETTINGS });
    const { page, close } = opened;
    await written(page);
    await drop(page, { name: 'words.txt', bytes: Buffer.from("1 'a' 1") });
    await page.getByRole('alert').getByText('A vocabulary goes with a model file').waitFor();
    await drop(page, { name: 'model.safetensors', bytes: await weights() });
    await modelOpened(page, 'model.safetensors');
    await page.getByPlaceholder('Token ids, such as 12 7 42').waitFor();

    // What is none leaves the model as it is.
    await drop(page, { name: 'words.txt', bytes: Buffer.from('<!doctype html>') });
    await page.getByRole('alert').getByText('line 1 of the vocabulary').waitFor();
    await page.locator('.top .model .badge').waitFor();
    await drop(page, { name: 'rwkv_vocab.txt', bytes: await worldFile() });
    await page.getByPlaceholder('Once upon a time').waitFor();
    expect(await helloWorld(opened)).toBe(await wanted());
    await close();
  });

  test('tokenizer.json, dropped with the model', async () => {
    const json = JSON.stringify(byteLevel());
    const opened = await openPage({ settings: SETTINGS });
    await written(opened.page);
    const vocabulary = { name: 'tokenizer.json', bytes: Buffer.from(json) };
    await drop(opened.page, { name: 'model.safetensors', bytes: await weights() }, vocabulary);
    await modelOpened(opened.page, 'model.safetensors');
    expect(await helloWorld(opened)).toBe(await wanted(huggingFaceTokenizer(json)));
    await opened.close();
  });

  /** The vocabulary of the `.gguf` in the official form: `<id> <literal of Python> <length>`. */
  async function worldFile(): Promise<Buffer> {
    const file = await openCheckpointFile(gguf);
    const { vocabulary } = file;
    await file.close();
    if (vocabulary?.model !== 'rwkv') throw new Error('it has no World vocabulary');
    const tokenizer = worldTokenizerFromTokens(vocabulary.tokens, vocabulary);
    const lines = vocabulary.tokens.flatMap((_, id) => {
      const bytes = tokenizer.bytes(id);
      const literal = Array.from(bytes, (byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join('');
      return bytes.length === 0 ? [] : [`${id} b'${literal}' ${bytes.length}\n`];
    });
    return Buffer.from(lines.join(''));
  }
});

test('what is no model says what is wrong, and the page works on', async () => {
  const whole = await readFile(golden('rwkv7_l2_c128_v97.pth'));
  const page404 = Buffer.from('<!doctype html><title>Not found</title>');
  const wrong = [
    { name: 'cut.pth', bytes: whole.subarray(0, 300_000), message: /cut\.pth: .*end is missing/ },
    { name: 'page.safetensors', bytes: page404, message: /page\.safetensors/ },
    {
      name: 'damaged.gguf',
      bytes: damaged(await readFile(golden('rwkv7_l2_c128_v97.q8_0.gguf'))),
      message: /damaged\.gguf/,
    },
  ];
  const { page, close } = await openPage({ settings: { ...SETTINGS, maxTokens: 40 } });
  const before = await written(page);
  for (const { name, bytes, message } of wrong) {
    await drop(page, { name, bytes });
    await page.getByRole('alert').getByText(message).waitFor();
    await modelOpened(page, 'Little stories');
    expect(await written(page), name).toBe(before);
    await page.getByRole('button', { name: 'Dismiss' }).click();
  }
  await page.getByRole('button', { name: 'Go on' }).click();
  expect(await written(page, 1)).not.toBe('');
  await close();
});

function damaged(file: Buffer): Buffer {
  const copy = Buffer.from(file);
  copy.fill(0xff, 8, 200);
  return copy;
}
