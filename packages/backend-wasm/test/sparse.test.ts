/** Products whose x is what relu² gave: weights lie column by column, and columns of zeros are passed over. */
import { memorySource, store } from '@receptance/conformance';
import { type DType, type Graph, GraphBuilder } from '@receptance/core';
import { describe, expect, it } from 'vitest';
import { type WasmOptions, wasm } from '../src/index.ts';

/** y = relu(x)² @ wᵀ; `isSparse`: in one graph, or from an x that was rectified before. */
function graphOf(dtype: DType, outer: number, inner: number, isSparse: boolean): Graph {
  const b = new GraphBuilder('product');
  const x = b.input('x', 'f32', ['N', inner]);
  const w = b.parameter('w', dtype, [outer, inner]);
  const rectified = b.unary('relu', x);
  b.output('y', b.linear(isSparse ? b.binary('mul', rectified, rectified) : x, w));
  return b.build();
}

interface Product {
  readonly y: readonly number[];
  readonly bytes: number;
}

async function multiply(
  options: WasmOptions,
  graph: Graph,
  w: ReturnType<typeof store>,
  x: Float32Array,
): Promise<Product> {
  const device = await wasm(options).open();
  try {
    const [outer = 0, inner = 1] = w.shape;
    const rows = x.length / inner;
    const parameters = await device.loadParameters(memorySource({ w }), [graph]);
    const executable = await device.compile(graph, parameters, { N: rows });
    const [input, y] = [device.alloc('f32', x.length), device.alloc('f32', rows * outer)];
    device.write(input, x);
    await device.run(executable, { sizes: { N: rows }, inputs: { x: input }, outputs: { y } });
    return { y: [...(await device.read(y))], bytes: parameters.bytes };
  } finally {
    await device.close();
  }
}

const noise = (length: number, seed: number): Float32Array =>
  Float32Array.from({ length }, (_, i) => (((i + seed) * 7919) % 1013) / 506 - 1);

const rectify = (x: Float32Array): Float32Array => x.map((v) => Math.max(0, v) ** 2);

const MODES = [
  { name: 'one thread', options: { threads: 1 } },
  { name: 'two threads', options: { threads: 2 } },
] as const;

describe.each(MODES)('$name', ({ options }) => {
  it.each(['f32', 'f16', 'bf16', 'q8_0', 'q4_0'] as const)('%s: as when weights lie row by row', async (dtype) => {
    for (const [outer, inner] of [
      [1, 32],
      [70, 96],
      [64, 320],
    ] as const) {
      const w = store(dtype, [outer, inner], noise(outer * inner, 3));
      for (const rows of [1, 2, 5, 17]) {
        // Few numbers are positive; a row of none at all.
        const x = noise(rows * inner, 1).map((v, i) => (i % 5 > 0 || Math.floor(i / inner) === 1 ? -Math.abs(v) : v));
        const got = await multiply(options, graphOf(dtype, outer, inner, true), w, x);
        const expected = await multiply(options, graphOf(dtype, outer, inner, false), w, rectify(x));
        const size = Math.max(...expected.y.map(Math.abs));
        const worst = Math.max(...expected.y.map((y, i) => Math.abs(y - (got.y[i] ?? Number.NaN))));
        expect(worst / size, `${outer} × ${inner}, ${rows} rows`).toBeLessThan(dtype.startsWith('q') ? 1e-4 : 1e-6);
      }
    }
  });
});

it('takes no more memory than the same weights row by row, where their rows are whole runs', async () => {
  for (const dtype of ['f32', 'f16', 'bf16', 'q8_0', 'q4_0'] as const) {
    const w = store(dtype, [64, 96], noise(64 * 96, 3));
    const x = noise(96, 1);
    const [sparse, dense] = [
      await multiply({ threads: 1 }, graphOf(dtype, 64, 96, true), w, x),
      await multiply({ threads: 1 }, graphOf(dtype, 64, 96, false), w, rectify(x)),
    ];
    expect(sparse.bytes, dtype).toBe(dense.bytes);
    for (const [i, y] of sparse.y.entries()) expect(Math.abs(y - (dense.y[i] ?? Number.NaN))).toBeLessThan(1e-3);
  }
});

it('widens halves that are too large for the packed form', async () => {
  const numbers = noise(64 * 96, 3).map((v, i) => (i === 5000 ? 512 : v));
  const x = noise(96, 1);
  const [half, exact] = [
    await multiply({ threads: 1 }, graphOf('f16', 64, 96, true), store('f16', [64, 96], numbers), x),
    await multiply({ threads: 1 }, graphOf('f32', 64, 96, true), store('f32', [64, 96], numbers), x),
  ];
  expect(half.bytes).toBe(exact.bytes);
  for (const [i, y] of half.y.entries()) expect(Math.abs(y - (exact.y[i] ?? Number.NaN))).toBeLessThan(0.5);
});
