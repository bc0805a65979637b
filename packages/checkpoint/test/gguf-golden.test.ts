import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { convertTensors, detectModel } from '@receptance/core';
import { describe, expect, it } from 'vitest';
import { openCheckpointFile } from '../src/node.ts';

const models = fileURLToPath(new URL('../../conformance/golden/models/', import.meta.url));

type Tensors = Readonly<Record<string, readonly [shape: readonly number[], hash: string]>>;
/** Shapes and hashes of every tensor as f32, made by fixtures/make_gguf.py with the Python package gguf. */
const files: Readonly<Record<string, Tensors>> = JSON.parse(
  readFileSync(new URL('fixtures/gguf.json', import.meta.url), 'utf8'),
);

describe.each(Object.entries(files))('%s', (name, expected) => {
  it('has the tensors that gguf dequantises, bit by bit, under their official names', async () => {
    const checkpoint = await openCheckpointFile(models + name);
    const wide = convertTensors(checkpoint, { dtype: 'f32' });
    const made: Record<string, unknown> = {};
    for (const [tensor, { shape }] of wide.tensors) {
      const hash = createHash('sha256').update(await wide.read(tensor));
      made[tensor] = [shape, hash.digest('hex').slice(0, 16)];
    }
    expect(made).toEqual(expected);
    await checkpoint.close();
  });

  it('describes a model', async () => {
    const checkpoint = await openCheckpointFile(models + name);
    const model = detectModel(checkpoint.tensors);
    expect(name.startsWith(model.architecture)).toBe(true);
    expect(checkpoint.metadata['general.architecture']).toBe(model.architecture);
    expect(checkpoint.metadata[`${model.architecture}.block_count`]).toBe(String(model.layers));
    expect(checkpoint.metadata[`${model.architecture}.embedding_length`]).toBe(String(model.width));
    await checkpoint.close();
  });

  it('gives any range of every tensor', async () => {
    const checkpoint = await openCheckpointFile(models + name);
    for (const [tensor, { bytes }] of checkpoint.tensors) {
      const whole = await checkpoint.read(tensor);
      expect(whole.length).toBe(bytes);
      for (const [start, end] of [
        [0, 0],
        [1, 2],
        [Math.floor(bytes / 3), Math.floor(bytes / 2) + 1],
        [bytes - 3, bytes],
      ] as const) {
        expect(Buffer.compare(await checkpoint.read(tensor, { start, end }), whole.subarray(start, end)), tensor).toBe(
          0,
        );
      }
    }
    await checkpoint.close();
  });
});

it('the same model as .gguf and as .safetensors has the same numbers', async () => {
  const gguf = await openCheckpointFile(`${models}rwkv6_l2_c128_v97.f32.gguf`);
  const official = await openCheckpointFile(`${models}rwkv6_l2_c128_v97.safetensors`);
  expect(new Map([...gguf.tensors].sort())).toEqual(new Map([...official.tensors].sort()));
  for (const name of official.tensors.keys()) {
    expect(Buffer.compare(await gguf.read(name), await official.read(name)), name).toBe(0);
  }
  await Promise.all([gguf.close(), official.close()]);
});

it('block formats are presented as they are', async () => {
  for (const [name, head, key] of [
    ['rwkv7_l2_c128_v97.q8_0.gguf', 'q8_0', 'q8_0'],
    ['rwkv7_l2_c256_v97.q4_k.gguf', 'q6_k', 'q4_k'],
    ['rwkv7_l2_c256_v97.q4_1.gguf', 'q6_k', 'q4_1'],
    ['rwkv6_l4_c128_resc2_v97.f16.gguf', 'f16', 'f16'],
  ] as const) {
    const checkpoint = await openCheckpointFile(models + name);
    expect(checkpoint.tensors.get('head.weight')?.dtype).toBe(head);
    expect(checkpoint.tensors.get('blocks.1.ffn.value.weight')?.dtype).toBe(key);
    await checkpoint.close();
  }
});

it('a vocabulary is given as the file has it', async () => {
  const checkpoint = await openCheckpointFile(`${models}rwkv7_l2_c128_tok_v600.f16.gguf`);
  const { model, tokens = [], types } = checkpoint.vocabulary ?? {};
  expect(model).toBe('rwkv');
  expect(tokens.length).toBe(600);
  expect(tokens.slice(0, 3)).toEqual(['<s>', '\\x00', '\\x01']);
  expect(types?.slice(0, 2)).toEqual([3, 1]);
  await checkpoint.close();
  const without = await openCheckpointFile(`${models}rwkv7_l2_c128_v97.f16.gguf`);
  expect(without.vocabulary).toBeUndefined();
  expect(without.metadata['tokenizer.ggml.model']).toBe('no_vocab');
  await without.close();
});
