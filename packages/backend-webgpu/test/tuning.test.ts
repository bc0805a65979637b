import { memorySource, Random, store } from '@receptance/conformance';
import { type Graph, GraphBuilder } from '@receptance/core';
import { expect, it } from 'vitest';
import { dispatchesOf, type TuningStore, type WebGpuOptions } from '../src/index.ts';
import { findAdapter, openDevice } from '../src/platform.ts';
import { subgroupOf } from '../src/subgroups.ts';
import { TILES, untuned, WORKGROUPS } from '../src/tuning.ts';
import { quickest } from '../src/tuning-trials.ts';
import { filled, gpuSource, withoutTest } from './support.ts';

const [ROWS, COLUMNS] = [1024, 16];
const MANY = 9;
const random = new Random('tuning');
const numbers = (length: number): Float32Array => Float32Array.from({ length }, () => random.normal());
/** Halves. */
const w = numbers(ROWS * COLUMNS).map((each) => Math.round(each * 256) / 256);
const source = memorySource({ w: store('f16', [ROWS, COLUMNS], w) });
const x = [...numbers(MANY * COLUMNS)];

function product(): Graph {
  const b = new GraphBuilder('product');
  b.output('y', b.linear(b.input('x', 'f32', ['N', COLUMNS]), b.parameter('w', 'f16', [ROWS, COLUMNS])));
  return b.build();
}

/** The shaders for one row and for many, and the products of many. */
async function opened(options: WebGpuOptions, isRun = false) {
  const device = await withoutTest(options).open();
  const graph = product();
  const shaders = [1, MANY].flatMap((N) => dispatchesOf(device, source, graph, { N }).map(({ shader }) => shader));
  const results: number[] = [];
  for (const N of isRun ? [1, MANY] : []) {
    const executable = await device.compile(graph, await device.loadParameters(source, [graph]), { N });
    const y = device.alloc('f32', N * ROWS);
    const inputs = { x: filled(device, 'f32', x.slice(0, N * COLUMNS)) };
    await device.run(executable, { sizes: { N }, inputs, outputs: { y } });
    results.push(...(await device.read(y)));
  }
  await device.close();
  return { shaders, results };
}

/** x @ wᵀ on the host. */
function timesWeights(rows: readonly number[]): number[] {
  return Array.from({ length: (rows.length / COLUMNS) * ROWS }, (_, i) => {
    const [row, column] = [Math.floor(i / ROWS) * COLUMNS, (i % ROWS) * COLUMNS];
    return rows.slice(row, row + COLUMNS).reduce((sum, each, k) => sum + each * (w[column + k] ?? Number.NaN), 0);
  });
}

/** A store that has one answer, and what was asked and kept. */
function storeOf(answer: string | null | Error) {
  const [asked, kept]: [string[], string[]] = [[], []];
  const tunings: TuningStore = {
    async get(adapter) {
      asked.push(adapter);
      if (answer instanceof Error) throw answer;
      return answer;
    },
    set: (_, tuning) => kept.push(tuning),
  };
  return { tunings, asked, kept };
}

it('shapes that are stored are used, and give the same products', async () => {
  const { tunings, asked } = storeOf('{"lanes":1,"workgroup":256,"tile":32}');
  const { shaders, results } = await opened({ tunings }, true);
  expect(shaders).toEqual([expect.stringContaining('WG=256, LANES=1,'), expect.stringContaining('TILE=32')]);
  expect(asked).toEqual([expect.stringMatching(/^receptance-tuning-1\|.*swiftshader/i)]);
  expect(results).toHaveLength((1 + MANY) * ROWS);
  const products = [x.slice(0, COLUMNS), x].flatMap(timesWeights);
  const off = results.map((result, i) => Math.abs(result - (products[i] ?? Number.NaN)));
  expect(Math.max(...off)).toBeLessThan(1e-5);
});

it('what is damaged, of no use or not to be had is as if it were not there', async () => {
  const plain = await opened({ tune: false });
  const broken = ['', '{', 'null', '7', '{"lanes":3,"workgroup":64,"tile":64}', '{"lanes":4,"workgroup":7,"tile":64}'];
  for (const answer of [...broken, '{"lanes":1024,"workgroup":64,"tile":64}', null, new Error('no storage')]) {
    const { tunings, asked, kept } = storeOf(answer);
    expect((await opened({ tunings })).shaders).toEqual(plain.shaders);
    expect(asked).toHaveLength(1);
    // This is a software GPU, of which nothing is worth to be measured.
    expect(kept).toEqual([]);
  }
});

it('with tune: false no store is asked', async () => {
  const { tunings, asked } = storeOf('{"lanes":1,"workgroup":128,"tile":32}');
  const plain = await opened({ tune: false });
  expect((await opened({ tune: false, tunings })).shaders).toEqual(plain.shaders);
  expect(asked).toEqual([]);
});

it('every shape runs, and one of them is the quickest', async () => {
  const gpu = await openDevice(await findAdapter(gpuSource));
  const initial = untuned(await subgroupOf(gpu));
  const heard: number[] = [];
  const found = await quickest(
    gpu,
    true,
    initial,
    { onProgress: ({ done, total }) => heard.push(done / total) },
    { matrices: 2, width: 32, tokens: 9, sweeps: 4 },
  );
  expect(initial.lanes % (found?.lanes ?? 0)).toBe(0);
  expect(WORKGROUPS).toContain(found?.workgroup);
  expect(TILES).toContain(found?.tile);
  expect(heard).toEqual(heard.map((_, i) => i / heard.length));
  expect(heard.length).toBeGreaterThan(8);
  gpu.destroy();
});

it('a GPU without room for the trials stays as it is, and they can be called off', async () => {
  const gpu = await openDevice(await findAdapter(gpuSource));
  const problem = { matrices: 1, width: 16, tokens: 9, sweeps: 1 };
  const signal = AbortSignal.abort(new Error('enough'));
  await expect(quickest(gpu, false, untuned(0), { signal }, problem)).rejects.toThrow('enough');
  const pop = gpu.popErrorScope.bind(gpu);
  gpu.popErrorScope = async () => {
    await pop();
    return { message: 'no room' } as GPUError;
  };
  expect(await quickest(gpu, false, untuned(0), {}, problem)).toBeUndefined();
  gpu.destroy();
});
