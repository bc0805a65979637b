import { wasm } from '@receptance/backend-wasm';
import { decompose, detectModel, lossGraph, readWidened } from '@receptance/core';
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
  await readWidened(source, 'blocks.3.ffn.value.weight', numbers);
  const mean = numbers.reduce((sum, x) => sum + x, 0) / numbers.length;
  const deviation = Math.sqrt(numbers.reduce((sum, x) => sum + (x - mean) ** 2, 0) / numbers.length);
  expect(Math.abs(mean)).toBeLessThan(1e-3 * deviation + 1e-4);
  expect(deviation).toBeCloseTo(3072 ** -0.5, 3);
});

test.each([4, 5, 6, 7])('of relu² in version %s as much is zero as in trained models', async (version) => {
  const source = randomWeights(`rwkv${version}-tiny`);
  const graph = decompose(lossGraph(detectModel(source.tensors)), () => false);
  const rectified = graph.nodes.flatMap(({ attrs, outputs: { y } }) => (attrs['fn'] === 'relu' && y ? [y] : []));
  const outputs = Object.fromEntries(rectified.map((value, i) => [`layer ${i}`, value]));
  const device = await wasm().open();
  const parameters = await device.loadParameters(source, [graph]);
  const executable = await device.compile({ ...graph, outputs }, parameters, { N: 64, S: 1 });
  const tokens = device.alloc('i32', 64);
  device.write(
    tokens,
    Int32Array.from({ length: 64 }, (_, i) => (i * 37) % 256),
  );
  const starts = device.alloc('i32', 2);
  device.write(starts, [0, 64]);
  const wide = Object.entries(outputs).map(
    ([name, { shape }]) => [name, device.alloc('f32', 64 * Number(shape[1]))] as const,
  );
  const bound = { sizes: { N: 64, S: 1 }, inputs: { tokens, starts }, outputs: Object.fromEntries(wide) };
  await device.run(executable, bound);
  expect(wide.length).toBeGreaterThan(1);
  for (const [, buffer] of wide) {
    const numbers = await device.read(buffer);
    const zeros = numbers.filter((x) => x === 0).length / numbers.length;
    expect(zeros).toBeGreaterThan(0.85);
    expect(zeros).toBeLessThan(0.95);
  }
  await device.close();
});

test.each([4, 5, 6, 7])('a model of version %s says something', async (version) => {
  const model = await load(randomWeights(`rwkv${version}-tiny`), { backend: wasm() });
  const { data } = await model.logits([1, 2, 3, 4, 5, 6, 7, 8], { rows: 'last' });
  const deviation = Math.sqrt(Float64Array.from(data).reduce((sum, x) => sum + x * x, 0) / data.length);
  expect(deviation).toBeGreaterThan(0.3);
  expect(deviation).toBeLessThan(30);
  await model.close();
});
