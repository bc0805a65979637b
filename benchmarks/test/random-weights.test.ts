import { wasm } from '@receptance/backend-wasm';
import { detectModel, readWidened } from '@receptance/core';
import { load } from 'receptance';
import { expect, test } from 'vitest';
import { randomWeights } from '../src/models/random-weights.ts';
import { MODELS, modelSize, registeredName } from '../src/models/registry.ts';
import { tensorsOf } from '../src/models/tensors.ts';

const parametersOf = (model: string): number =>
  tensorsOf(modelSize(model)).reduce((sum, { shape }) => sum + shape.reduce((product, size) => product * size, 1), 0);

// As their authors count them.
test.each([
  ['rwkv4-169m', 169_342_464],
  ['rwkv4-430m', 430_397_440],
  ['rwkv7-0.1b', 191_034_624],
  ['rwkv7-0.4b', 450_767_872],
])('%s has as many parameters as the published model', (model, parameters) => {
  expect(parametersOf(model)).toBe(parameters);
});

test.each(Object.keys(MODELS))('%s has the tensors that its version is known by', (name) => {
  const { architecture, layers, width, vocabularySize } = detectModel(
    new Map(tensorsOf(modelSize(name)).map(({ name: tensor, shape }) => [tensor, { dtype: 'f32', shape, bytes: 0 }])),
  );
  const size = modelSize(name);
  expect({ architecture, layers, width, vocabularySize }).toEqual({
    ...{ architecture: `rwkv${size.version}`, layers: size.layers, width: size.width },
    vocabularySize: size.vocabulary,
  });
});

test('a size alone is of the newest version that has it', () => {
  expect(registeredName('0.1b')).toBe('rwkv7-0.1b');
  expect(registeredName('3B')).toBe('rwkv6-3b');
  expect(registeredName('tiny')).toBe('rwkv7-tiny');
  expect(registeredName('model.pth')).toBeUndefined();
  expect(() => modelSize('0.2b')).toThrow(/no sizes of a model 0.2b/);
});

test('weights are the same by whatever ranges they are read, and others for another seed', async () => {
  const source = randomWeights('rwkv4-tiny', 3);
  const whole = await source.read('emb.weight');
  const parts: Uint8Array[] = [];
  for (let start = 0; start < whole.length; start += 4093) {
    parts.push(await source.read('emb.weight', { start, end: Math.min(whole.length, start + 4093) }));
  }
  expect(Buffer.concat(parts)).toEqual(Buffer.from(whole));
  expect(await randomWeights('rwkv4-tiny', 3).read('emb.weight')).toEqual(whole);
  expect(await randomWeights('rwkv4-tiny', 4).read('emb.weight')).not.toEqual(whole);
});

test('numbers are of the spread they should have, beyond where the table begins anew', async () => {
  const source = randomWeights('rwkv7-0.1b');
  const numbers = new Float32Array(4 * 768 * 768);
  await readWidened(source, 'blocks.3.ffn.key.weight', numbers);
  const mean = numbers.reduce((sum, x) => sum + x, 0) / numbers.length;
  const deviation = Math.sqrt(numbers.reduce((sum, x) => sum + (x - mean) ** 2, 0) / numbers.length);
  expect(Math.abs(mean)).toBeLessThan(1e-3 * deviation + 1e-4);
  expect(deviation).toBeCloseTo(768 ** -0.5, 3);
});

test.each([4, 5, 6, 7])('a model of version %s says something', async (version) => {
  const model = await load(randomWeights(`rwkv${version}-tiny`), { backend: wasm() });
  const { data } = await model.logits([1, 2, 3, 4, 5, 6, 7, 8], { rows: 'last' });
  const deviation = Math.sqrt(Float64Array.from(data).reduce((sum, x) => sum + x * x, 0) / data.length);
  expect(deviation).toBeGreaterThan(0.3);
  expect(deviation).toBeLessThan(30);
  await model.close();
});
