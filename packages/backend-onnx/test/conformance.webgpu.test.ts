import { randomRwkv7 } from '@receptance/conformance';
import { goldenFiles } from '@receptance/conformance/node';
import { conformance } from '@receptance/conformance/vitest';
import { detectModel, GraphBuilder, resetGraph, sampleGraph } from '@receptance/core';
import { expect, test } from 'vitest';
import { type OnnxOptions, onnx } from '../src/index.ts';
import { codeOf, compileAlone, filled, NO_WEIGHTS } from './support.ts';

// A software GPU takes minutes for all of it. What is here must not leave the GPU: the CPU is no fallback.
const golden = (await goldenFiles()).filter(({ name }) =>
  /models\/rwkv7_l2_c128_v97\.(golden\.)?safetensors/.test(name),
);

conformance(onnx({ provider: 'webgpu' }), {
  golden,
  only: ['binary/f32/', 'layerNorm/f32/N=', 'sample/f32/', 'golden/greedy/'],
  require: ['*'],
});

test('what would have to leave the GPU is refused', async () => {
  const device = await onnx({ provider: 'webgpu' }).open();
  const b = new GraphBuilder('memory');
  const state = (name: string) => b.input(name, 'f32', ['S', 4]);
  const rows = (name: string) => b.input(name, 'f32', ['N', 4]);
  const read = b.add('wkv4', {
    ...{ w: b.input('w', 'f32', [4]), u: b.input('u', 'f32', [4]), k: rows('k'), v: rows('v') },
    ...{ aa0: state('aa'), bb0: state('bb'), pp0: state('pp'), starts: b.input('starts', 'i32', ['S+1']) },
  });
  b.output('y', read.y);
  const executable = await compileAlone(device, b.build(), { N: 2, S: 1 });
  const four = ['w', 'u', 'aa', 'bb', 'pp'].map((name) => [name, device.alloc('f32', 4)]);
  const eight = ['k', 'v'].map((name) => [name, device.alloc('f32', 8)]);
  const inputs = { ...Object.fromEntries([...four, ...eight]), starts: filled(device, 'i32', [0, 2]) };
  const run = { sizes: { N: 2, S: 1 }, inputs, outputs: { y: device.alloc('f32', 8) } };
  // Two tokens are a Scan, of which this provider has none.
  expect(await codeOf(() => device.run(executable, run))).toBe('UNSUPPORTED_OP');
  await device.close();
});

test('states that lie on the GPU are those that a run of other rows, a copy and the host see', async () => {
  const device = await onnx({ provider: 'webgpu' }).open();
  const b = new GraphBuilder('count');
  const slots = b.input('slots', 'i32', ['S']);
  const pool = b.variable('count', 'f32', ['Z', 3]);
  const next = b.binary('add', b.add('stateRead', { pool, slots }).y, b.input('x', 'f32', ['S', 3]));
  b.update('count', b.add('stateWrite', { pool, slots, value: next }).y);
  b.output('y', b.unary('neg', next));
  const graph = b.build();
  const parameters = await device.loadParameters(NO_WEIGHTS, [graph], { limits: { Z: 4 } });
  const executable = await device.compile(graph, parameters, { S: 2 });
  const [count, y] = [parameters.variables.get('count'), device.alloc('f32', 6)];
  if (count === undefined) throw new Error('no variable');
  const run = async (rows: readonly number[], steps: number): Promise<number[]> => {
    const inputs = { slots: filled(device, 'i32', rows), x: filled(device, 'f32', [1, 2, 3, 10, 20, 30]) };
    const loop = { steps, carry: {}, feed: [], collect: [] };
    await device.run(executable, { sizes: { S: 2 }, inputs, outputs: { y } }, loop);
    return [...(await device.read(y))];
  };
  expect(await run([2, 0], 3)).toEqual([-3, -6, -9, -30, -60, -90]);
  expect(await run([2, 0], 1)).toEqual([-4, -8, -12, -40, -80, -120]);
  expect(await run([0, 1], 2)).toEqual([-42, -84, -126, -20, -40, -60]);
  device.copy(count, 3, count, 9, 3);
  expect(await run([3, 2], 1)).toEqual([-21, -42, -63, -14, -28, -42]);
  executable.free();
  expect([...(await device.read(count))]).toEqual([42, 84, 126, 20, 40, 60, 14, 28, 42, 21, 42, 63]);
  await device.close();
});

test('a model samples as it does on the CPU, many tokens a run', async () => {
  const shape = { layers: 1, heads: 2, headSize: 16, ffn: 64, vocabulary: 50, ranks: { w: 8, a: 8, v: 8, g: 8 } };
  const source = randomRwkv7({ ...shape, seed: 'sampling' });
  const model = detectModel(source.tensors);
  const drawnOn = async (provider: OnnxOptions['provider'] & string): Promise<number[]> => {
    const device = await onnx({ provider, threads: 1 }).open();
    const [reset, sample] = [resetGraph(model), sampleGraph(model)];
    const parameters = await device.loadParameters(source, [reset, sample], { limits: { Z: 2 } });
    const begin = await device.compile(reset, parameters, { S: 1 });
    const decode = await device.compile(sample, parameters, { N: 1, S: 1, R: 1 });
    const slots = filled(device, 'i32', [1]);
    await device.run(begin, { sizes: { S: 1 }, inputs: { slots }, outputs: {} });
    const next = device.alloc('i32', 6);
    const inputs = {
      ...{
        tokens: filled(device, 'i32', [7]),
        starts: filled(device, 'i32', [0, 1]),
        rows: filled(device, 'i32', [0]),
      },
      ...{ slots, drawSlots: slots, settings: filled(device, 'f32', [0.9, 20, 0.95, 0.01, 0.4, 0.3, 1.1, 0.9]) },
      u: filled(device, 'f32', [0.1, 0.83, 0.47, 0.62, 0.95, 0.31]),
    };
    const loop = { steps: 6, carry: { tokens: 'next' }, feed: ['u'], collect: ['next'] };
    const drawn: number[] = [];
    for (let run = 0; run < 2; run++) {
      await device.run(decode, { sizes: { N: 1, S: 1, R: 1 }, inputs, outputs: { next } }, loop);
      drawn.push(...(await device.read(next)));
    }
    await device.close();
    return drawn;
  };
  const onCpu = await drawnOn('cpu');
  expect(new Set(onCpu).size).toBeGreaterThan(3);
  expect(await drawnOn('webgpu')).toEqual(onCpu);
});
