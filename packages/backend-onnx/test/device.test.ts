import { mkdtemp, open, readdir, rm, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { memorySource, store } from '@receptance/conformance';
import { type Device, type Graph, GraphBuilder, quantizedSource } from '@receptance/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { onnx } from '../src/index.ts';
import { codeOf, compileAlone, errorOf, filled, graphOf, NO_WEIGHTS } from './support.ts';

describe('a device', () => {
  let directory: string;
  let device: Device;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'receptance-test-'));
    device = await onnx({ directory, threads: 1, activations: 'exact' }).open();
  });
  afterAll(async () => {
    await device.close();
    await rm(directory, { recursive: true });
  });

  it('says what it is', () => {
    expect(device.info).toMatchObject({ backend: 'onnx', float: 'f32', ragged: true, threads: 1 });
    expect(device.info.adapter).toBe('ONNX Runtime 1.30.0, cpu');
  });

  it('gives zeroed memory, and back what was written, ranges too', async () => {
    const buffer = device.alloc('f32', 5);
    device.write(buffer, [1, 2], 3);
    expect([...(await device.read(buffer))]).toEqual([0, 0, 0, 1, 2]);
    expect([...(await device.read(buffer, 2, 2))]).toEqual([0, 1]);
    expect(await device.read(device.alloc('i32', 0))).toEqual(new Int32Array(0));
  });

  it('copies between buffers and within one, but not over itself', async () => {
    const [a, b] = [filled(device, 'i32', [1, 2, 3, 4]), device.alloc('i32', 4)];
    device.copy(a, 1, b, 2, 2);
    device.copy(a, 0, a, 2, 2);
    expect([...(await device.read(b))]).toEqual([0, 0, 2, 3]);
    expect([...(await device.read(a))]).toEqual([1, 2, 1, 2]);
    expect(await codeOf(() => device.copy(a, 0, a, 1, 2))).toBe('OUT_OF_RANGE');
    expect(await codeOf(() => device.copy(a, 0, device.alloc('f32', 4), 0, 2))).toBe('OUT_OF_RANGE');
  });

  it('refuses ranges outside a buffer, and more than there is room for', async () => {
    const buffer = device.alloc('f32', 4);
    expect(await codeOf(() => device.read(buffer, 3, 2))).toBe('OUT_OF_RANGE');
    expect(await codeOf(() => device.write(buffer, [1], -1))).toBe('OUT_OF_RANGE');
    expect(await codeOf(() => device.alloc('f32', -1))).toBe('OUT_OF_RANGE');
    expect(await codeOf(() => device.alloc('f32', 2 ** 50))).toBe('OUT_OF_MEMORY');
  });

  it('refuses what another device made, and what was freed', async () => {
    const other = await onnx({ threads: 1 }).open();
    const foreign = other.alloc('f32', 1);
    expect(await codeOf(() => device.read(foreign))).toBe('FOREIGN_OBJECT');
    await other.close();
    expect(await codeOf(() => other.alloc('f32', 1))).toBe('DEVICE_CLOSED');
    const buffer = device.alloc('f32', 1);
    device.free(buffer);
    expect(await codeOf(() => device.read(buffer))).toBe('FOREIGN_OBJECT');
  });

  it('does what it is asked in order, though nobody waits', async () => {
    const x = filled(device, 'f32', [1]);
    const y = device.alloc('f32', 1);
    const executable = await compileAlone(
      device,
      graphOf((b, value) => b.unary('neg', value)),
      { N: 1 },
    );
    const run = device.run(executable, { sizes: { N: 1 }, inputs: { x }, outputs: { y } });
    device.write(x, [5]);
    device.copy(y, 0, x, 0, 1);
    await run;
    expect([...(await device.read(x))]).toEqual([-1]);
  });

  it('runs a graph on more buffers than it remembers the work of, again and again', async () => {
    const executable = await compileAlone(
      device,
      graphOf((b, value) => b.unary('neg', value)),
      { N: 2 },
    );
    const pairs = Array.from({ length: 20 }, (_, i) => ({
      ...{ x: filled(device, 'f32', [i, 100 + i]), y: device.alloc('f32', 2), n: 1 + (i % 2) },
    }));
    for (const order of [pairs, [...pairs].reverse(), pairs.filter((_, i) => i % 3 > 0)]) {
      for (const { x, y, n } of order) {
        await device.run(executable, { sizes: { N: n }, inputs: { x }, outputs: { y } });
        // What was written is read the next time: every pair of runs gives the numbers back.
        device.copy(y, 0, x, 0, n);
      }
    }
    const runs = pairs.map((_, i) => (i % 3 > 0 ? 3 : 2));
    for (const [i, { x, n }] of pairs.entries()) {
      const sign = runs[i] === 3 ? -1 : 1;
      expect([...(await device.read(x))]).toEqual([sign * i + 0, (n === 2 ? sign : 1) * (100 + i)]);
    }
  });

  it('refuses sequences that do not rise from 0 to N', async () => {
    const b = new GraphBuilder('shift');
    const [x, prev] = [b.input('x', 'f32', ['N', 1]), b.input('prev', 'f32', ['S', 1])];
    b.output('y', b.add('tokenShift', { x, prev, starts: b.input('starts', 'i32', ['S+1']) }).y);
    const executable = await compileAlone(device, b.build(), { N: 4, S: 2 });
    const given = { x: filled(device, 'f32', [1, 2, 3]), prev: filled(device, 'f32', [8, 9]) };
    const y = device.alloc('f32', 3);
    const run = async (starts: readonly number[]): Promise<number[]> => {
      const inputs = { ...given, starts: filled(device, 'i32', starts) };
      await device.run(executable, { sizes: { N: 3, S: 2 }, inputs, outputs: { y } });
      return [...(await device.read(y))];
    };
    expect(await run([0, 2, 3])).toEqual([8, 1, 9]);
    expect(await run([0, 0, 3])).toEqual([9, 1, 2]);
    for (const starts of [
      [1, 2, 3],
      [0, 2, 4],
      [0, 4, 3],
    ]) {
      expect(await codeOf(() => run(starts))).toBe('BAD_BINDINGS');
    }
  });

  it('knows the numbers of a buffer again that a run has written to, once all of them are written', async () => {
    const b = new GraphBuilder('first');
    const [x, prev] = [b.input('x', 'f32', ['N', 1]), b.input('prev', 'f32', ['S', 1])];
    b.output('y', b.add('tokenShift', { x, prev, starts: b.input('starts', 'i32', ['S+1']) }).y);
    const executable = await compileAlone(device, b.build(), { N: 4, S: 1 });
    const ends = new GraphBuilder('ends');
    ends.output('y', ends.add('argmax', { x: ends.input('x', 'f32', ['N', 2]) }).y);
    const making = await compileAlone(device, ends.build(), { N: 2 });
    const [given, made] = [filled(device, 'f32', [1, 2]), filled(device, 'f32', [1, 0, 0, 1])];
    const starts = device.alloc('i32', 2);
    await device.run(making, { sizes: { N: 2 }, inputs: { x: made }, outputs: { y: starts } });
    const inputs = { x: given, prev: filled(device, 'f32', [9]), starts };
    const bindings = { sizes: { N: 2, S: 1 }, inputs, outputs: { y: device.alloc('f32', 2) } };
    device.write(starts, [0, 1]);
    expect(await codeOf(() => device.run(executable, bindings))).toBe('BAD_BINDINGS');
    device.copy(filled(device, 'i32', [0, 2]), 0, starts, 0, 2);
    await device.run(executable, bindings);
    expect([...(await device.read(bindings.outputs.y))]).toEqual([9, 1]);
  });

  it('multiplies blocks by no row, one and several', async () => {
    const b = new GraphBuilder('blocks');
    b.output('y', b.linear(b.input('x', 'f32', ['R', 32]), b.parameter('w', 'q8_0', [4, 32])));
    const graph = b.build();
    const source = quantizedSource(
      memorySource({ w: store('f32', [4, 32], Array<number>(128).fill(1)) }),
      'q8_0',
      () => true,
    );
    const executable = await device.compile(graph, await device.loadParameters(source, [graph]), { R: 3 });
    const y = device.alloc('f32', 12);
    for (const rows of [0, 1, 3]) {
      const inputs = { x: filled(device, 'f32', Array<number>(32 * rows).fill(1)) };
      await device.run(executable, { sizes: { R: rows }, inputs, outputs: { y } });
      const made = await device.read(y, 0, 4 * rows);
      for (const number of made) expect(number).toBeCloseTo(32, 1);
    }
  });

  it('multiplies a weight of many rows in parts', async () => {
    const b = new GraphBuilder('parts');
    const rows = 2 * 16_384 + 32;
    b.output('y', b.linear(b.input('x', 'f32', ['R', 32]), b.parameter('w', 'q8_0', [rows, 32])));
    const graph = b.build();
    const numbers = Float32Array.from({ length: rows * 32 }, (_, i) => (Math.floor(i / 32) % 1009) / 1009);
    const source = quantizedSource(memorySource({ w: store('f32', [rows, 32], numbers) }), 'q8_0', () => true);
    const executable = await device.compile(graph, await device.loadParameters(source, [graph]), { R: 2 });
    const inputs = {
      x: filled(
        device,
        'f32',
        Array.from({ length: 64 }, (_, i) => (i < 32 ? 1 / 32 : -1 / 32)),
      ),
    };
    const y = device.alloc('f32', 2 * rows);
    await device.run(executable, { sizes: { R: 2 }, inputs, outputs: { y } });
    const made = await device.read(y);
    const wanted = Array.from({ length: 2 * rows }, (_, i) => (((i % rows) % 1009) / 1009) * (i < rows ? 1 : -1));
    const distance = wanted.reduce((most, number, i) => Math.max(most, Math.abs(number - (made[i] ?? Number.NaN))), 0);
    expect(distance).toBeLessThan(1e-3);
  });

  it('carries steps over from run to run as a Loop does within one', async () => {
    // y[n] = w · (y[n−1] + u[n]), and a state that counts the steps: of a weight in blocks steps are runs, of a plain one they are a Loop.
    const graphFor = (dtype: 'q8_0' | 'f32'): Graph => {
      const b = new GraphBuilder(`steps of ${dtype}`);
      const slots = b.input('slots', 'i32', ['S']);
      const sum = b.binary('add', b.input('x', 'f32', ['S', 32]), b.input('u', 'f32', ['S', 32]));
      const pool = b.variable('count', 'f32', ['Z', 32]);
      const next = b.binary('add', b.add('stateRead', { pool, slots }).y, 1);
      b.update('count', b.add('stateWrite', { pool, slots, value: next }).y);
      const y = b.linear(b.binary('mul', sum, next), b.parameter('w', dtype, [32, 32]));
      b.output('y', y);
      b.output('last', b.unary('neg', y));
      return b.build();
    };
    // 127 times a power of two, which a block holds exactly.
    const w = Array.from({ length: 1024 }, (_, i) => (i % 33 === 0 ? 127 / 256 : 0));
    const plain = memorySource({ w: store('f32', [32, 32], w) });
    const results: Record<'y' | 'last' | 'count', readonly number[]>[] = [];
    for (const dtype of ['q8_0', 'f32'] as const) {
      const graph = graphFor(dtype);
      const source = dtype === 'f32' ? plain : quantizedSource(plain, dtype, () => true);
      const parameters = await device.loadParameters(source, [graph], { limits: { Z: 3 } });
      const executable = await device.compile(graph, parameters, { S: 2 });
      const row = (value: number): number[] => Array<number>(32).fill(value);
      const inputs = {
        x: device.alloc('f32', 64),
        u: filled(
          device,
          'f32',
          [0, 1, 2, 3].flatMap((step) => [...row(step), ...row(-step)]),
        ),
        slots: filled(device, 'i32', [2, 0]),
      };
      const outputs = { y: device.alloc('f32', 256), last: device.alloc('f32', 64) };
      const loop = { steps: 4, carry: { x: 'y' }, feed: ['u'], collect: ['y'] };
      for (let run = 0; run < 2; run++) {
        device.write(inputs.x, [...row(1), ...row(2)]);
        await device.run(executable, { sizes: { S: 2 }, inputs, outputs }, loop);
      }
      const count = parameters.variables.get('count');
      results.push({
        y: [...(await device.read(outputs.y))],
        last: [...(await device.read(outputs.last))],
        count: count === undefined ? [] : [...(await device.read(count))],
      });
    }
    const [stepped, looped] = results;
    expect(looped?.count).toEqual([8, 0, 8].flatMap((value) => Array<number>(32).fill(value)));
    expect(stepped?.count).toEqual(looped?.count);
    for (const name of ['y', 'last'] as const) {
      const wanted = looped?.[name] ?? [];
      const largest = Math.max(...wanted.map(Math.abs));
      const distance = Math.max(...wanted.map((number, i) => Math.abs(number - (stepped?.[name][i] ?? Number.NaN))));
      expect(distance / largest).toBeLessThan(1e-4);
    }
  });

  it('rounds activations to 8 bits, but where it is told not to', async () => {
    const b = new GraphBuilder('blocks');
    b.output('y', b.linear(b.input('x', 'f32', ['R', 64]), b.parameter('w', 'q8_0', [4, 64])));
    const graph = b.build();
    const numbers = Array.from({ length: 256 }, (_, i) => Math.sin(i + 1));
    const source = quantizedSource(memorySource({ w: store('f32', [4, 64], numbers) }), 'q8_0', () => true);
    const product = async (own: Device): Promise<readonly number[]> => {
      const executable = await own.compile(graph, await own.loadParameters(source, [graph]), { R: 1 });
      const x = filled(own, 'f32', numbers.slice(64, 128));
      const y = own.alloc('f32', 4);
      await own.run(executable, { sizes: { R: 1 }, inputs: { x }, outputs: { y } });
      return [...(await own.read(y))];
    };
    const rounding = await onnx({ threads: 1 }).open();
    expect(rounding.info.blockActivations).toBe('int8');
    expect(device.info.blockActivations).toBeUndefined();
    // The suite holds the exact product to the reference.
    const [exact, rounded] = [await product(device), await product(rounding)];
    await rounding.close();
    const distance = Math.max(...rounded.map((y, i) => Math.abs(y - (exact[i] ?? 0))));
    expect(distance).toBeLessThan(0.2);
    expect(distance).toBeGreaterThan(1e-3);
  });

  it.each([
    ['cut short', async (path: string) => truncate(path, 5000)],
    ['damaged by a bit', flipBit],
  ] as const)('says so when its data file was %s', async (_, damage) => {
    const b = new GraphBuilder('weights');
    b.output('y', b.linear(b.input('x', 'f32', ['N', 64]), b.parameter('w', 'f32', [64, 64])));
    const graph = b.build();
    const source = memorySource({
      w: store(
        'f32',
        [64, 64],
        Array.from({ length: 4096 }, (_, i) => i),
      ),
    });
    const parameters = await device.loadParameters(source, [graph]);
    const executable = await device.compile(graph, parameters, { N: 1 });
    const [folder = ''] = await readdir(directory);
    const files = (await readdir(join(directory, folder))).filter((name) => name.startsWith('weights-'));
    for (const file of files) await damage(join(directory, folder, file));
    const bindings = {
      sizes: { N: 1 },
      inputs: { x: device.alloc('f32', 64) },
      outputs: { y: device.alloc('f32', 64) },
    };
    const error = await errorOf(() => device.run(executable, bindings));
    expect(error?.code).toBe('BAD_DATA_FILE');
    expect(error?.hint).toContain('load the weights again');
  });

  it('leaves nothing behind when weights are refused, or when it is closed', async () => {
    const own = await mkdtemp(join(tmpdir(), 'receptance-test-'));
    const other = await onnx({ directory: own }).open();
    const b = new GraphBuilder('weights');
    b.output('y', b.binary('mul', b.parameter('w', 'f32', [2]), 2));
    const graph = b.build();
    const source = memorySource({ w: store('f32', [2], [1, Number.NaN]) });
    expect(await codeOf(() => other.loadParameters(source, [graph]))).toBe('NOT_FINITE');
    const [folder = ''] = await readdir(own);
    expect(await readdir(join(own, folder))).toEqual([]);
    const parameters = await other.loadParameters(memorySource({ w: store('f32', [2], [1, 2]) }), [graph]);
    expect(parameters.bytes).toBe(8);
    await other.close();
    expect(await readdir(own)).toEqual([]);
    await rm(own, { recursive: true });
  });

  it('is closed once and for all', async () => {
    const other = await onnx().open();
    await other.close();
    await other.close();
    expect(await codeOf(() => other.loadParameters(NO_WEIGHTS, []))).toBe('DEVICE_CLOSED');
  });
});

/** Later than the file was written, as far as the file system can tell. */
async function flipBit(path: string): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 50));
  const file = await open(path, 'r+');
  const byte = Buffer.alloc(1);
  await file.read(byte, 0, 1, 100);
  byte.writeUInt8(byte.readUInt8(0) ^ 1);
  await file.write(byte, 0, 1, 100);
  await file.close();
}
