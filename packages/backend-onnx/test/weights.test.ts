import { memorySource, store } from '@receptance/conformance';
import { type Device, type Graph, GraphBuilder, type Parameters } from '@receptance/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { onnx } from '../src/index.ts';
import { Block } from '../src/lowering/block.ts';
import type { Form } from '../src/lowering/lowering.ts';
import { type DataFile, hasBlocks } from '../src/lowering/stored.ts';
import { Weights } from '../src/lowering/weights.ts';
import { OnnxParameters } from '../src/parameters.ts';
import { filled } from './support.ts';

const [TALL, WIDE, BOTH] = [
  [5, 3],
  [3, 5],
  [7, 3],
] as const;

/** Whole numbers, which every product holds exactly. */
function numbers([rows, columns]: readonly [number, number]): number[] {
  return Array.from({ length: rows * columns }, (_, i) => ((i * 37) % 251) - 125);
}

const product = (name: string, shape: readonly [number, number], transposed = false): Graph => {
  const b = new GraphBuilder(`${name} ${transposed}`);
  const x = b.input('x', 'f32', ['N', shape[transposed ? 0 : 1]]);
  b.output('y', b.linear(x, b.parameter(name, 'f32', shape), transposed));
  return b.build();
};

const matmul = (name: string, shape: readonly [number, number]): Graph => {
  const b = new GraphBuilder(`matmul ${name}`);
  const operands = { a: b.input('x', 'f32', ['N', shape[0]]), b: b.parameter(name, 'f32', shape) };
  b.output('y', b.add('matmul', operands, { transposeA: false, transposeB: false }).y);
  return b.build();
};

describe('matrices in the data file', () => {
  let device: Device;
  beforeAll(async () => {
    device = await onnx({ threads: 2 }).open();
  });
  afterAll(() => device.close());

  /** The product of rows of ones, but for x[0], which is 2. */
  async function run(graph: Graph, parameters: Parameters, rows: number, inner: number): Promise<number[]> {
    const executable = await device.compile(graph, parameters, { N: rows });
    const x = filled(device, 'f32', [2, ...Array<number>(rows * inner - 1).fill(1)]);
    const [, outer = 0] = graph.outputs['y']?.shape ?? [];
    const y = device.alloc('f32', rows * Number(outer));
    await device.run(executable, { sizes: { N: rows }, inputs: { x }, outputs: { y } });
    return [...(await device.read(y))];
  }

  const expected = (of: readonly number[], [rows, columns]: readonly [number, number]): number[] =>
    Array.from({ length: rows }, (_, row) => {
      const own = of.slice(row * columns, (row + 1) * columns);
      return own.reduce((sum, weight) => sum + weight, own[0] ?? 0);
    });

  it('lie in long runs where only products read them', async () => {
    const shapes = { tall: TALL, wide: WIDE, both: BOTH };
    const source = memorySource(
      Object.fromEntries(Object.entries(shapes).map(([name, shape]) => [name, store('f32', shape, numbers(shape))])),
    );
    const graphs = [product('tall', TALL), product('wide', WIDE), product('both', BOTH), product('both', BOTH, true)];
    const parameters = await device.loadParameters(source, graphs);
    if (!(parameters instanceof OnnxParameters)) throw new Error('parameters of another backend');
    const turned = [...parameters.data.tensors].map(([name, stored]) => [
      name,
      stored.kind === 'plain' && stored.turned,
    ]);
    expect(Object.fromEntries(turned)).toEqual({ tall: true, wide: false, both: false });
    for (const [name, shape] of [
      ['tall', TALL],
      ['wide', WIDE],
    ] as const) {
      const [outer, inner] = shape;
      const one = expected(numbers(shape), shape);
      expect(await run(product(name, shape), parameters, 1, inner)).toEqual(one);
      const two = await run(product(name, shape), parameters, 2, inner);
      expect(two.slice(0, outer)).toEqual(one);
    }
    // Uses that were not told of when weights were loaded.
    const columns = [0, 1, 2].flatMap((column) => numbers(TALL).filter((_, i) => i % 3 === column));
    for (const graph of [product('tall', TALL, true), matmul('tall', TALL)]) {
      expect(await run(graph, parameters, 1, 5)).toEqual(expected(columns, [3, 5]));
    }
  });

  it('are turned band by band', async () => {
    const shape = [70_001, 61] as const;
    const all = numbers(shape);
    const graph = product('tall', shape);
    const parameters = await device.loadParameters(memorySource({ tall: store('f32', shape, all) }), [graph]);
    expect(await run(graph, parameters, 1, 61)).toEqual(expected(all, shape));
    parameters.free();
  });
});

it('weights in blocks are widened one after the other: by nodes that come first, which ONNX Runtime computes last', () => {
  const range = { offset: 0, length: 0 };
  const blocks = { kind: 'blocks', bits: 8, signed: false, shape: [64, 32], data: range, scales: range } as const;
  const file: DataFile = {
    file: 'weights.bin',
    middles: new Map([[8, range]]),
    tensors: new Map([
      ['a', blocks],
      ['b', blocks],
    ]),
  };
  const main = new Block();
  const target = { form: 'even', provider: 'cpu', standard: false, recurrence: 'scan', activations: 'exact' } as const;
  const weights = new Weights(file, main, target);
  let x = main.input({ name: 'x', type: 'float32' });
  for (const name of ['a', 'b']) x = main.op('Gemm', [x, weights.matrix(name, main).ref]);
  main.output(x, { name: 'y', type: 'float32' });
  const ops = main.finish('graph').nodes.map(({ op }) => op);
  expect(ops).toEqual(['DequantizeLinear', 'DequantizeLinear', 'Gemm', 'Gemm']);
});

describe('what a session lays out anew', () => {
  const range = { offset: 0, length: 0 };
  const file: DataFile = {
    file: 'weights.bin',
    middles: new Map(),
    tensors: new Map([
      ['short', { kind: 'plain', type: 'float32', shape: [768, 768], turned: false, data: range }],
      ['long', { kind: 'plain', type: 'float32', shape: [3072, 768], turned: true, data: range }],
    ]),
  };
  const isPacked = (form: Form, provider: 'cpu' | 'any', name: string): boolean => {
    const main = new Block();
    const target = { form, provider, standard: false, recurrence: 'scan', activations: 'exact' } as const;
    const { ref } = new Weights(file, main, target).matrix(name, main);
    main.output(ref, { name: 'y', type: 'float32' });
    const [made] = main.finish('graph').initializers;
    return made?.overridable !== true;
  };

  it('is a matrix of short runs, for single tokens; all others are used where they are mapped', () => {
    expect(hasBlocks(file)).toBe(false);
    expect(isPacked('single', 'cpu', 'short')).toBe(true);
    expect(isPacked('single', 'cpu', 'long')).toBe(false);
    expect(isPacked('even', 'cpu', 'short')).toBe(false);
  });

  it('is no matter of files, whose weights are constants', () => {
    expect(isPacked('single', 'any', 'long')).toBe(true);
  });
});
