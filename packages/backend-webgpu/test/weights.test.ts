import { memorySource, Random, type StoredTensor, store } from '@receptance/conformance';
import { type DType, type Graph, GraphBuilder, type WeightSource, widen } from '@receptance/core';
import { describe, expect, it } from 'vitest';
import type { WebGpuOptions } from '../src/index.ts';
import { findAdapter, openDevice } from '../src/platform.ts';
import { filled, gpuSource, withoutTest } from './support.ts';

const [ROWS, COLUMNS, TOKENS] = [70, 64, 3];

function weights(dtype: DType): WeightSource {
  const random = new Random('weights');
  const numbers = Float32Array.from({ length: ROWS * COLUMNS }, () => random.normal());
  return memorySource({ w: store(dtype, [ROWS, COLUMNS], numbers) });
}

/** The rows of one weight gathered, and products along both of its axes. */
function products(dtype: DType, kinds: readonly ('gathered' | 'y' | 'back')[]): Graph {
  const b = new GraphBuilder('products');
  const w = b.parameter('w', dtype, [ROWS, COLUMNS]);
  const [x, g] = [b.input('x', 'f32', ['N', COLUMNS]), b.input('g', 'f32', ['N', ROWS])];
  const made = {
    gathered: () => b.add('gather', { table: w, ids: b.input('ids', 'i32', ['N']) }).y,
    y: () => b.linear(x, w),
    back: () => b.linear(g, w, true),
  };
  for (const kind of kinds) b.output(kind, made[kind]());
  return b.build();
}

async function run(source: WeightSource, graph: Graph, options: WebGpuOptions) {
  const device = await withoutTest(options).open();
  const parameters = await device.loadParameters(source, [graph]);
  const executable = await device.compile(graph, parameters, { N: TOKENS });
  const random = new Random('inputs');
  const numbers = (count: number): number[] => Array.from({ length: count }, () => random.normal());
  const given = {
    x: filled(device, 'f32', numbers(TOKENS * COLUMNS)),
    g: filled(device, 'f32', numbers(TOKENS * ROWS)),
    ids: filled(device, 'i32', [ROWS - 1, 0, 33]),
  };
  const widths = { gathered: COLUMNS, y: ROWS, back: COLUMNS };
  const outputs = Object.fromEntries(
    Object.keys(graph.outputs).map((name) => [name, device.alloc('f32', TOKENS * widths[name as keyof typeof widths])]),
  );
  await device.run(executable, { sizes: { N: TOKENS }, inputs: given, outputs });
  const results: Record<string, number[]> = {};
  for (const [name, buffer] of Object.entries(outputs)) results[name] = [...(await device.read(buffer))];
  const { bytes } = parameters;
  await device.close();
  return { results, bytes };
}

function expectClose(got: readonly number[] = [], wanted: readonly number[] = []): void {
  expect(got).toHaveLength(wanted.length);
  expect(wanted.length).toBeGreaterThan(0);
  got.forEach((number, i) => {
    expect(Math.abs(number - (wanted[i] ?? Number.NaN))).toBeLessThan(2e-5);
  });
}

describe.each(['f32', 'f16', 'bf16', 'q8_0', 'q4_0'] as const)('a weight of %s', (dtype) => {
  const stored = { f32: 4, f16: 2, bf16: 2, q8_0: 34 / 32, q4_0: 18 / 32 }[dtype] * ROWS * COLUMNS;

  it('takes what it takes in its file', async () => {
    const { bytes } = await run(weights(dtype), products(dtype, ['gathered', 'y']), {});
    expect(bytes).toBeGreaterThanOrEqual(stored);
    expect(bytes).toBeLessThan(stored + 32);
  });

  it('gives the same in parts that fit a small binding', async () => {
    const graph = products(dtype, ['gathered', 'y', 'back']);
    const whole = await run(weights(dtype), graph, {});
    const split = await run(weights(dtype), graph, { maxWeightBytes: 1600 });
    expect(split.results['gathered']).toEqual(whole.results['gathered']);
    for (const name of ['y', 'back']) expectClose(split.results[name], whole.results[name]);
  });

  it('gives the same without subgroups', async () => {
    const graph = products(dtype, ['y']);
    const [by, without] = [
      await run(weights(dtype), graph, {}),
      await run(weights(dtype), graph, { subgroups: false }),
    ];
    expectClose(by.results['y'], without.results['y']);
  });
});

it('five-bit blocks become eight-bit blocks of the same numbers', async () => {
  const bytes = new Uint8Array((ROWS * COLUMNS * 22) / 32);
  const random = new Random('blocks');
  for (let at = 0; at < bytes.length; at++) bytes[at] = random.integer(256);
  for (let at = 1; at < bytes.length; at += 22) bytes[at] = 0x2c; // scales near 1/16
  const tensor: StoredTensor = { dtype: 'q5_0', shape: [ROWS, COLUMNS], bytes };
  const { results, bytes: held } = await run(memorySource({ w: tensor }), products('q5_0', ['gathered']), {});
  const numbers = new Float32Array(ROWS * COLUMNS);
  widen('q5_0', bytes, numbers);
  expect(results['gathered']?.slice(0, COLUMNS)).toEqual([...numbers.subarray((ROWS - 1) * COLUMNS)]);
  expect(held).toBeLessThan((ROWS * COLUMNS * 34) / 32 + 32);
});

it.each([
  ['f16', 0x7c00],
  ['bf16', 0xff80],
  ['q8_0', 0x7e00],
] as const)('refuses %s that is not finite, naming tensor and element', async (dtype, bits) => {
  const source = weights(dtype);
  const bytes = Uint8Array.from(await source.read('w'));
  const at = dtype === 'q8_0' ? 34 * 5 : 2 * 160;
  bytes.set([bits & 255, bits >> 8], at);
  const device = await withoutTest().open();
  const damaged = memorySource({ w: { dtype, shape: [ROWS, COLUMNS], bytes } });
  await expect(device.loadParameters(damaged, [products(dtype, ['y'])])).rejects.toMatchObject({
    code: 'NOT_FINITE',
    message: expect.stringMatching(/tensor w holds .* at element 160/),
  });
  await device.close();
});

it('refuses a row that no binding holds, before anything is allocated', async () => {
  const device = await withoutTest({ maxWeightBytes: 256 }).open();
  await expect(device.loadParameters(weights('f32'), [products('f32', ['y'])])).rejects.toMatchObject({
    code: 'TENSOR_TOO_LARGE',
  });
  await device.close();
});

it('says which weights no memory was left for, and how many were placed', async () => {
  const graph = products('f32', ['y']);
  const gpu = await openDevice(await findAdapter(gpuSource));
  const device = await withoutTest({ device: gpu }).open();
  const pop = gpu.popErrorScope.bind(gpu);
  let scopes = 0;
  // Scopes are closed innermost first: every second is that of lack of memory.
  gpu.popErrorScope = async () => {
    const isMemory = scopes++ % 2 === 1;
    await pop();
    return isMemory ? ({ message: 'no room' } as GPUError) : null;
  };
  await expect(device.loadParameters(weights('f32'), [graph])).rejects.toMatchObject({
    code: 'OUT_OF_MEMORY',
    message: expect.stringMatching(/the weights from w on, 0\.0 MB, after 0\.0 MB of 0\.0 MB/),
  });
  gpu.destroy();
});
