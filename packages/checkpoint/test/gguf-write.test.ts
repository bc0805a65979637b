import { fileURLToPath } from 'node:url';
import { convertTensors, quantizedSource, type WeightSource } from '@receptance/core';
import { describe, expect, it } from 'vitest';
import {
  bytesSource,
  type GgufOptions,
  ggufChunks,
  type ModelToWrite,
  openCheckpoint,
  safetensorsChunks,
  type TensorToWrite,
  writeSafetensors,
} from '../src/index.ts';
import { openCheckpointFile } from '../src/node.ts';
import { openBytes, refusal } from './support/sources.ts';

const models = fileURLToPath(new URL('../../conformance/golden/models/', import.meta.url));

async function collect(chunks: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for await (const part of chunks) parts.push(part);
  return new Uint8Array(Buffer.concat(parts));
}

async function written(source: ModelToWrite, options: GgufOptions) {
  return openCheckpoint(bytesSource(await collect(ggufChunks(source, options)), 'written.gguf'));
}

/** All but what version 7 has no use for. */
function names(source: WeightSource): string[] {
  return [...source.tensors.keys()].filter((name) => !/^blocks\.0\.att\.v[012]$/.test(name)).sort();
}

async function expectSame(a: WeightSource, b: WeightSource): Promise<void> {
  expect(names(a)).toEqual(names(b));
  for (const name of names(a)) {
    expect(a.tensors.get(name), name).toEqual(b.tensors.get(name));
    expect(Buffer.compare(await a.read(name), await b.read(name)), name).toBe(0);
  }
}

const isMatrix = (name: string): boolean =>
  /^(?:emb|head|.*\.(?:receptance|key|value|gate|output))\.weight$/.test(name);

/** What a file of matrices of one type, and all else in f32, should hold. */
function expected(source: WeightSource, matrices: WeightSource): WeightSource {
  const wide = convertTensors(source, { dtype: 'f32' });
  const of = (name: string): WeightSource => (isMatrix(name) ? matrices : wide);
  const infos = [...source.tensors.keys()].flatMap((name) => {
    const info = of(name).tensors.get(name);
    return info === undefined ? [] : [[name, info] as const];
  });
  return { tensors: new Map(infos), read: (name, range) => of(name).read(name, range) };
}

describe.each([
  'rwkv6_l2_c128_v97.bf16.pth',
  'rwkv7_l2_c128_v97.safetensors',
  'rwkv7_l3_c192_f256_v97.bf16.safetensors',
])('%s as .gguf', (file) => {
  it.each(['f32', 'f16'] as const)('of %s is the same model', async (dtype) => {
    const source = await openCheckpointFile(models + file);
    await expectSame(await written(source, { dtype }), expected(source, convertTensors(source, { dtype })));
    await source.close();
  });

  it.each(['q8_0', 'q4_0'] as const)('of %s has the big matrices in blocks', async (dtype) => {
    const source = await openCheckpointFile(models + file);
    await expectSame(await written(source, { dtype }), expected(source, quantizedSource(source, dtype)));
    await source.close();
  });
});

it.each([
  ['q8_0', 'rwkv7_l2_c128_v97.q8_0.gguf'],
  ['q4_0', 'rwkv7_l2_c128_v97.q4_0.gguf'],
  ['f16', 'rwkv7_l2_c128_v97.f16.gguf'],
] as const)('of %s is what other programs make of it', async (dtype, golden) => {
  const source = await openCheckpointFile(`${models}rwkv7_l2_c128_v97.safetensors`);
  const other = await openCheckpointFile(models + golden);
  await expectSame(await written(source, { dtype }), other);
  await Promise.all([source.close(), other.close()]);
});

it('takes a vocabulary along, and says what llama.cpp wants to know', async () => {
  const source = await openCheckpointFile(`${models}rwkv7_l2_c128_tok_v600.f16.gguf`);
  const again = await written(source, { dtype: 'f16', name: 'again' });
  await expectSame(again, source);
  expect(again.vocabulary).toEqual(source.vocabulary);
  const { 'general.name': name, 'general.quantization_version': version, ...metadata } = again.metadata;
  expect([name, version]).toEqual(['again', '2']);
  expect(metadata).toEqual(source.metadata);
  const short = { model: 'rwkv', tokens: ['a'], types: undefined, endOfText: undefined };
  expect(await refusal(written(source, { dtype: 'f16', vocabulary: short }))).toMatchObject({
    code: 'UNSUPPORTED_FORMAT',
  });
  await source.close();
});

it('is not written of a model that llama.cpp would compute with another eps', async () => {
  const source = await openCheckpointFile(`${models}rwkv7_l2_c128_v97.safetensors`);
  const other = { ...source, metadata: { groupNormEps: '0.00032' } };
  expect(await refusal(written(other, { dtype: 'f16' }))).toMatchObject({
    message: expect.stringContaining('0.00032'),
  });
  const same = { ...source, metadata: { groupNormEps: '0.00064' } };
  expect((await written(same, { dtype: 'f16' })).tensors.size).toBe(69);
  await source.close();
});

it('of rescaled matrices is written plain', async () => {
  const source = await openCheckpointFile(`${models}rwkv6_l4_c128_resc2_v97.f16.gguf`);
  const plain = await written(source, { dtype: 'f16' });
  expect(plain.metadata['rwkv6.rescale_every_n_layers']).toBe('0');
  await expectSame(plain, source);
  await source.close();
});

it('keeps blocks as they are, or widens them', async () => {
  const source = await openCheckpointFile(`${models}rwkv7_l2_c256_v97.q4_k.gguf`);
  await expectSame(await written(source, { dtype: 'q8_0' }), source);
  await expectSame(await written(source, { dtype: 'f32' }), convertTensors(source, { dtype: 'f32' }));
  await source.close();
});

it.each([
  ['rwkv4_l3_c64_v97.safetensors', /rwkv4/],
  ['rwkv5_l2_c128_v97.bf16.pth', /rwkv5/],
  ['rwkv6_l2_c128_state_v97.bf16.pth', /time_state/],
])('there is none of %s', async (file, message) => {
  const source = await openCheckpointFile(models + file);
  const error = await refusal(written(source, { dtype: 'f16' }));
  expect(error.code).toBe('UNSUPPORTED_FORMAT');
  expect(error.message).toMatch(message);
  await source.close();
});

describe('.safetensors in pieces', () => {
  it.each([
    'rwkv4_l3_c64_v97.safetensors',
    'rwkv50_l2_c128_v97.pth',
    'rwkv6_l2_c128_v97.f32.gguf',
    'rwkv7_l2_c256_v97.q6_k.gguf',
  ])('of any version, in any plain type: %s', async (file) => {
    const source = await openCheckpointFile(models + file);
    for (const dtype of ['f32', 'f16', 'bf16'] as const) {
      const converted = convertTensors(source, { dtype });
      const bytes = await collect(safetensorsChunks(converted, { from: file }));
      const read = await openBytes(bytes);
      expect(read.metadata).toEqual({ from: file });
      await expectSame(read, converted);
      const tensors: TensorToWrite[] = [];
      for (const [name, { shape }] of converted.tensors)
        tensors.push({ name, dtype, shape, data: await converted.read(name) });
      expect(Buffer.compare(writeSafetensors(tensors, { from: file }), bytes)).toBe(0);
    }
    await source.close();
  });

  it('refuses blocks before the first piece', async () => {
    const source = await openCheckpointFile(`${models}rwkv7_l2_c128_v97.q8_0.gguf`);
    expect(await refusal(collect(safetensorsChunks(source)))).toMatchObject({ code: 'UNSUPPORTED_DTYPE' });
    await source.close();
  });
});
