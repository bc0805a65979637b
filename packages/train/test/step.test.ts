import { reference } from '@receptance/backend-reference';
import {
  type DeviceBuffer,
  detectModel,
  elementCount,
  type Graph,
  GraphBuilder,
  type HostArray,
  initialState,
  leaves,
  type WeightSource,
} from '@receptance/core';
import { expect, test } from 'vitest';
import { momentNames } from '../src/graph/adamw.ts';
import { type StepOptions, stepGraph } from '../src/graph/step.ts';
import { groupOf, initialWeights, objectiveGraph, tokenArray } from '../src/index.ts';
import { isHiddenMatrix } from '../src/weights/groups.ts';
import { tensorSource } from '../src/weights/tensors.ts';
import { SMALL, small, walk } from './support/small.ts';

/** Half the square of each weight's distance from a target, summed: its gradient is the distance. */
function bowl() {
  const b = new GraphBuilder('bowl');
  const distances = ['a.weight', 'b'].map((name, i) => b.binary('sub', b.variable(name, 'f32', [2, 2]), 1 + 4 * i));
  const squares = distances.map((distance) => b.reduce('sum', b.binary('mul', distance, distance), [0, 1]));
  const loss = b.binary('mul', 0.5, b.binary('add', squares[0] ?? 0, squares[1] ?? 0));
  b.output('loss', loss);
  b.output('objective', loss);
  return b.build();
}

const SETTINGS = { rate: 0.1, clip: 2, weightDecay: 0.3, beta1: 0.9, beta2: 0.95, epsilon: 1e-3 };
const FIRST = [2, -1, 0.5, 3];

async function run(steps: number, accumulates: boolean): Promise<Record<string, HostArray>> {
  const { beta1, beta2, epsilon, ...settings } = SETTINGS;
  const options: StepOptions = { adam: { beta1, beta2, epsilon }, accumulates };
  const groups = new Map([
    ['a.weight', { rate: 1, decays: true }],
    ['b', { rate: 2, decays: false }],
  ]);
  const graph = stepGraph(bowl(), groups, options);
  const device = await reference().open();
  const weights = new Map(['a.weight', 'b'].map((name) => [name, { shape: [2, 2], data: Float64Array.from(FIRST) }]));
  const parameters = await device.loadParameters(tensorSource(weights), [graph]);
  const executable = await device.compile(graph, parameters, {});
  const outputs = { loss: device.alloc('f32', 1), norm: device.alloc('f32', 1) };
  for (let t = 1; t <= steps; t++) {
    const scalars = { ...settings, correction1: 1 / (1 - beta1 ** t), correction2: 1 / Math.sqrt(1 - beta2 ** t) };
    const inputs = Object.fromEntries([...leaves(graph, 'input').keys()].map((name) => [name, device.alloc('f32', 1)]));
    for (const [name, buffer] of Object.entries(inputs)) device.write(buffer, [scalars[name as keyof typeof scalars]]);
    await device.run(executable, { sizes: {}, inputs, outputs });
  }
  const made: Record<string, HostArray> = { norm: await device.read(outputs.norm) };
  for (const [name, buffer] of parameters.variables) made[name] = await device.read(buffer);
  return made;
}

/** AdamW as its paper writes it (arXiv:1711.05101), on plain numbers. */
function expected(steps: number) {
  const { rate, clip, weightDecay, beta1, beta2, epsilon } = SETTINGS;
  const weights = [FIRST, FIRST].map((each) => [...each]);
  const [m, v] = [0, 0].map(() => weights.map((each) => each.map(() => 0)));
  let norm = 0;
  for (let t = 1; t <= steps; t++) {
    const gradients = weights.map((each, i) => each.map((x) => x - (1 + 4 * i)));
    norm = Math.hypot(...gradients.flat());
    weights.forEach((each, i) => {
      const own = rate * (i + 1);
      each.forEach((x, j) => {
        const g = (gradients[i]?.[j] ?? 0) * Math.min(1, clip / (norm + 1e-6));
        const first = beta1 * (m?.[i]?.[j] ?? 0) + (1 - beta1) * g;
        const second = beta2 * (v?.[i]?.[j] ?? 0) + (1 - beta2) * g * g;
        if (m?.[i]) m[i][j] = first;
        if (v?.[i]) v[i][j] = second;
        const change = first / (1 - beta1 ** t) / (Math.sqrt(second / (1 - beta2 ** t)) + epsilon);
        each[j] = x - own * change - (i === 0 ? own * weightDecay * x : 0);
      });
    });
  }
  return { weights, m, v, norm };
}

test.each([false, true])('a step is AdamW, clipped, by groups (with accumulators: %s)', async (accumulates) => {
  const [got, want] = [await run(5, accumulates), expected(5)];
  expect(got['norm']?.[0]).toBeCloseTo(want.norm, 12);
  expect(want.norm).toBeGreaterThan(SETTINGS.clip);
  ['a.weight', 'b'].forEach((name, i) => {
    const { first, second } = momentNames(name);
    const pairs = [
      [name, want.weights[i]],
      [first, want.m?.[i]],
      [second, want.v?.[i]],
    ] as const;
    for (const [tensor, numbers = []] of pairs) {
      for (const [j, x] of numbers.entries()) expect(got[tensor]?.[j], tensor).toBeCloseTo(x, 12);
    }
  });
  if (accumulates) expect([...(got['gradient.b'] ?? [])]).toEqual([0, 0, 0, 0]);
});

/** Rows of a matrix times a matrix. */
function product(a: readonly number[][], b: readonly number[][]): number[][] {
  return a.map((row) => (b[0] ?? []).map((_, j) => row.reduce((sum, x, k) => sum + x * (b[k]?.[j] ?? 0), 0)));
}

function transposed(a: readonly number[][]): number[][] {
  return (a[0] ?? []).map((_, j) => a.map((row) => row[j] ?? 0));
}

function combined(x: number, a: readonly number[][], y: number, b: readonly number[][]): number[][] {
  return a.map((row, i) => row.map((each, j) => x * each + y * (b[i]?.[j] ?? 0)));
}

/** Muon as its authors write it: five turns on the matrix as it is wide, the scale of arXiv:2502.16982. */
function muonStep(momentum: number[][], weight: number[][], gradient: number[][], rate: number, weightDecay: number) {
  const next = combined(0.95, momentum, 1, gradient);
  const ahead = combined(1, gradient, 0.95, next);
  const [rows, columns] = [ahead.length, ahead[0]?.length ?? 0];
  const norm = Math.hypot(...ahead.flat());
  let x = combined(1 / (norm + 1e-7), rows > columns ? transposed(ahead) : ahead, 0, []);
  for (let turn = 0; turn < 5; turn++) {
    const gram = product(x, transposed(x));
    x = combined(3.4445, x, 1, product(combined(-4.775, gram, 2.0315, product(gram, gram)), x));
  }
  const change = rows > columns ? transposed(x) : x;
  const scale = 0.2 * Math.sqrt(Math.max(rows, columns));
  return {
    momentum: next,
    weight: combined(1 - rate * weightDecay, weight, -rate * scale, change),
    singular: product(x, transposed(x)),
  };
}

test.each([
  [2, 3],
  [5, 2],
])('matrices inside the blocks learn by Muon when asked to: [%i, %i]', async (rows, columns) => {
  const name = 'blocks.0.ffn.key.weight';
  const shape = [rows, columns];
  const target = Array.from({ length: rows * columns }, (_, i) => Math.sin(3 * i + 1));
  const b = new GraphBuilder('bowl');
  const distance = b.binary('sub', b.variable(name, 'f32', shape), b.input('target', 'f32', shape));
  const loss = b.binary('mul', 0.5, b.reduce('sum', b.binary('mul', distance, distance), [0, 1]));
  b.output('loss', loss);
  b.output('objective', loss);
  const { rate, weightDecay } = SETTINGS;
  const adam = { beta1: 0.9, beta2: 0.95, epsilon: 1e-3 };
  const groups = new Map([[name, { rate: 1, decays: true }]]);
  const graph = stepGraph(b.build(), groups, { adam, optimiser: 'muon', accumulates: false });
  expect(leaves(graph, 'variable').has(momentNames(name).second)).toBe(false);
  const device = await reference().open();
  const parameters = await device.loadParameters(tensorSource(new Map()), [graph]);
  const executable = await device.compile(graph, parameters, {});
  const scalars = { rate, weightDecay, clip: 1e9, correction1: 1, correction2: 1 };
  const outputs = { loss: device.alloc('f32', 1), norm: device.alloc('f32', 1) };
  const rowsOf = (numbers: ArrayLike<number>): number[][] =>
    Array.from({ length: rows }, (_, i) => Array.from(numbers).slice(i * columns, (i + 1) * columns));
  let want = { momentum: rowsOf(target.map(() => 0)), weight: rowsOf(target.map(() => 0)), singular: [[0]] };
  for (let t = 0; t < 3; t++) {
    const inputs: Record<string, DeviceBuffer> = {};
    for (const [input, { shape: size }] of leaves(graph, 'input')) {
      const numbers = input === 'target' ? target : [scalars[input as keyof typeof scalars]];
      inputs[input] = device.alloc('f32', elementCount(size));
      device.write(inputs[input], numbers);
    }
    await device.run(executable, { sizes: {}, inputs, outputs });
    const gradient = combined(1, want.weight, -1, rowsOf(target));
    want = muonStep(want.momentum, want.weight, gradient, rate, weightDecay);
  }
  const read = async (variable: string): Promise<number[]> => {
    const buffer = parameters.variables.get(variable);
    return buffer === undefined ? [] : Array.from(await device.read(buffer));
  };
  const pairs = [
    [await read(name), want.weight],
    [await read(momentNames(name).first), want.momentum],
  ] as const;
  for (const [got, numbers] of pairs) {
    expect(got).toHaveLength(rows * columns);
    for (const [i, x] of numbers.flat().entries()) expect(got[i]).toBeCloseTo(x, 10);
  }
  // The square of every singular value is about 1: so is the trace by the row.
  const { singular } = want;
  const trace = singular.reduce((sum, row, i) => sum + (row[i] ?? 0), 0);
  expect(Math.abs(trace / singular.length - 1)).toBeLessThan(0.5);
});

test('Muon takes the matrices of the blocks alone', () => {
  expect(isHiddenMatrix('blocks.3.att.output.weight', [8, 8])).toBe(true);
  expect(isHiddenMatrix('blocks.3.att.ln_x.weight', [8])).toBe(false);
  expect(isHiddenMatrix('blocks.3.att.w1', [8, 4])).toBe(false);
  expect(isHiddenMatrix('emb.weight', [64, 8])).toBe(false);
  expect(isHiddenMatrix('head.weight', [64, 8])).toBe(false);
});

test('parameter groups are those of the official trainers', () => {
  expect(groupOf('blocks.0.att.key.weight', [8, 8])).toEqual({ rate: 1, decays: true });
  expect(groupOf('blocks.0.ln1.weight', [8])).toEqual({ rate: 1, decays: false });
  expect(groupOf('blocks.0.att.w2', [4, 8])).toEqual({ rate: 1, decays: false });
  expect(groupOf('blocks.0.att.w0', [1, 1, 8])).toEqual({ rate: 2, decays: false });
  expect(groupOf('blocks.0.att.time_decay', [8])).toEqual({ rate: 2, decays: false });
  expect(groupOf('blocks.0.att.time_first', [8])).toEqual({ rate: 3, decays: false });
});

/** The outputs of a graph on the text 1, 2, 3, 4. */
async function outputsOf(graph: Graph, source: WeightSource): Promise<Record<string, HostArray>> {
  const device = await reference().open();
  const parameters = await device.loadParameters(source, [graph]);
  const sizes = { N: 4, S: 1 };
  const executable = await device.compile(graph, parameters, sizes);
  const given = { tokens: [1, 2, 3, 4], targets: [2, 3, -1, 5], starts: [0, 4], scale: [1 / 3] };
  const inputs: Record<string, DeviceBuffer> = {};
  for (const [name, { dtype }] of leaves(graph, 'input')) {
    const data = given[name as keyof typeof given];
    inputs[name] = device.alloc(dtype === 'i32' ? 'i32' : 'f32', data.length);
    device.write(inputs[name], data);
  }
  const shapes = Object.entries(graph.outputs);
  const outputs = Object.fromEntries(
    shapes.map(([name, { shape }]) => [name, device.alloc('f32', elementCount(shape, sizes))]),
  );
  await device.run(executable, { sizes, inputs, outputs });
  const made: Record<string, HostArray> = {};
  for (const [name, buffer] of Object.entries(outputs)) made[name] = await device.read(buffer);
  return made;
}

test('L2Wrap: half the square of the largest logit of each row that counts', async () => {
  const source = initialWeights(SMALL, 1);
  const model = detectModel(source.tensors);
  const b = new GraphBuilder('logits');
  const state = Object.fromEntries(model.state.map((entry) => [entry.name, initialState(b, entry)]));
  const { x } = model.hidden(b, b.input('tokens', 'i32', ['N']), b.input('starts', 'i32', ['S+1']), state);
  b.output('logits', model.head(b, x));
  const { logits = new Float64Array() } = await outputsOf(b.build(), source);
  const largest = [0, 1, 3].map((row) => Math.max(...logits.slice(row * 64, (row + 1) * 64)));
  const squares = largest.reduce((sum, each) => sum + each ** 2, 0);

  const { loss, objective } = await outputsOf(objectiveGraph(model, { l2Wrap: 0.5 }), source);
  expect((objective?.[0] ?? 0) - (loss?.[0] ?? 0)).toBeCloseTo((0.5 / 2) * (1 / 3) * squares, 12);
  const without = await outputsOf(objectiveGraph(model, { l2Wrap: 0 }), source);
  expect(without['objective']).toEqual(loss);
});

test('carried states: the parts of a text cost what the whole text costs', async () => {
  const tokens = Array.from(await walk(97).read(0, 97));
  const options = { data: tokenArray(tokens), sequences: 1, schedule: { rate: 1e-30, warmup: 0 }, weightDecay: 0 };
  for (const architecture of ['rwkv4', 'rwkv5', 'rwkv6', 'rwkv7'] as const) {
    const model = { ...SMALL, architecture };
    const parts = await small({ ...options, model, order: 'stream', length: 24, steps: 8 });
    const whole = await small({ ...options, model, length: 96, steps: 1 });
    const losses: number[] = [];
    for await (const { loss } of parts.run()) losses.push(loss);
    const mean = losses.slice(0, 4).reduce((sum, loss) => sum + loss / 4, 0);
    expect(mean, architecture).toBeCloseTo((await whole.next()).loss, 5);
    // The fifth begins at the start of the text again.
    expect(losses[4], architecture).toBe(losses[0]);
    await Promise.all([parts.close(), whole.close()]);
  }
});
