import { randomRwkv7 } from '@receptance/conformance';
import { goldenFiles } from '@receptance/conformance/node';
import { conformance } from '@receptance/conformance/vitest';
import { detectModel, GraphBuilder, resetGraph, sampleGraph } from '@receptance/core';
import { expect, test } from 'vitest';
import { type KernelOf, type OnnxOptions, onnx } from '../src/index.ts';
import { codeOf, compileAlone, filled, graphOf, NO_WEIGHTS } from './support.ts';

// Outside goldens of every memory, and of one model of every version: a software GPU takes its time.
const golden = (await goldenFiles()).filter(({ name }) =>
  /ops\/wkv|models\/rwkv(4_l3_c64|6_l2_c128|7_l2_c128)_v97\.(golden\.)?safetensors$|rwkv50_l2_c128_v97/.test(name),
);

/** A sum of terms of both signs that cancel, so that little of it is left to compare. */
const CANCELLED = { nmse: 1e-8 };
/** Near 1000 the neighbours of an f32 are 6e-5 apart, and so are the exponents of neighbouring sums. */
const LARGE_KEYS = { nmse: 1e-7, maxAbs: 5e-4 };

// Nothing may leave the GPU: the CPU is no fallback.
conformance(onnx({ provider: 'webgpu' }), {
  golden,
  require: ['*'],
  tolerance: {
    'reduce/f32/mean,[N,3,5] over all': CANCELLED,
    'reduce/gradient/mean,[N,3,5] over all': CANCELLED,
    'wkv4/gradient/|k|=1e3': LARGE_KEYS,
    // 4e-38, where a GPU has few digits left.
    'wkv4/gradient/decay underflows/grad.w': { nmse: 1e-2 },
  },
});

test('what would have to leave the GPU is refused', async () => {
  const hardmax: KernelOf<'unary'> = { lower: ({ x }, _, __, o) => ({ y: o.block.op('Hardmax', [o.ref(x)]) }) };
  const device = await onnx({ provider: 'webgpu', kernels: { unary: [hardmax] } }).open();
  const executable = await compileAlone(
    device,
    graphOf((b, x) => b.unary('neg', x)),
    { N: 2 },
  );
  const run = { sizes: { N: 2 }, inputs: { x: filled(device, 'f32', [1, 2]) }, outputs: { y: device.alloc('f32', 2) } };
  expect(await codeOf(() => device.run(executable, run))).toBe('UNSUPPORTED_OP');
  await device.close();
});

test('sequences are told apart by their lengths: by what the host wrote, not by what a run made', async () => {
  const device = await onnx({ provider: 'webgpu' }).open();
  const b = new GraphBuilder('shift');
  const starts = b.input('starts', 'i32', ['S+1']);
  const { y } = b.add('tokenShift', {
    x: b.input('x', 'f32', ['N', 1]),
    prev: b.input('prev', 'f32', ['S', 1]),
    starts,
  });
  b.output('y', y);
  const shift = await compileAlone(device, b.build(), { N: 4, S: 2 });
  const places = filled(device, 'i32', [0, 1, 4]);
  const outputs = { y: device.alloc('f32', 4) };
  const inputs = { x: filled(device, 'f32', [1, 2, 3, 4]), prev: filled(device, 'f32', [-1, -2]), starts: places };
  const run = async (): Promise<number[]> => {
    await device.run(shift, { sizes: { N: 4, S: 2 }, inputs, outputs });
    return [...(await device.read(outputs.y))];
  };
  expect(await run()).toEqual([-1, -2, 2, 3]);
  device.write(places, [0, 3, 4]);
  expect(await run()).toEqual([-1, 1, 2, -2]);
  device.write(places, [0, 2, 4]);
  expect(await run()).toEqual([-1, 1, -2, 3]);

  const c = new GraphBuilder('made');
  c.output('y', c.add('cast', { x: c.input('x', 'f32', [3]) }, { dtype: 'i32' }).y);
  const made = await compileAlone(device, c.build(), {});
  await device.run(made, { sizes: {}, inputs: { x: filled(device, 'f32', [0, 1, 4]) }, outputs: { y: places } });
  expect(await codeOf(run)).toBe('UNSUPPORTED_OP');
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
    const device = await onnx({ provider }).open();
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
