import { memorySource, store } from '@receptance/conformance';
import { type Device, type Executable, GraphBuilder, type Parameters, type WeightSource } from '@receptance/core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type WasmKernel, wasm } from '../src/index.ts';

const MIB = 1 << 20;

/** y = x @ wᵀ + total, total += 1 */
function accumulate(rows: number): ReturnType<GraphBuilder['build']> {
  const b = new GraphBuilder('accumulate');
  const total = b.variable('total', 'f32', [rows]);
  b.output('y', b.binary('add', b.linear(b.input('x', 'f32', ['N', 4]), b.parameter('w', 'f32', [rows, 4])), total));
  b.update('total', b.binary('add', total, 1));
  return b.build();
}

function weights(rows: number): WeightSource {
  return memorySource({
    w: store(
      'f32',
      [rows, 4],
      Float32Array.from({ length: rows * 4 }, (_, i) => i),
    ),
  });
}

describe('a device', () => {
  let device: Device;
  let parameters: Parameters;
  let executable: Executable;
  beforeEach(async () => {
    device = await wasm({ memoryLimit: 14 * MIB }).open();
    parameters = await device.loadParameters(weights(2), [accumulate(2)]);
    executable = await device.compile(accumulate(2), parameters, { N: 3 });
  });
  afterEach(() => device.close());

  async function run(): Promise<number[]> {
    const [x, y] = [device.alloc('f32', 4), device.alloc('f32', 2)];
    device.write(x, [1, 0, 0, 1]);
    await device.run(executable, { sizes: { N: 1 }, inputs: { x }, outputs: { y } });
    const got = [...(await device.read(y))];
    device.free(x);
    device.free(y);
    return got;
  }

  it('runs, and keeps its variables', async () => {
    expect(await run()).toEqual([3, 11]);
    expect(await run()).toEqual([4, 12]);
    const total = parameters.variables.get('total');
    expect(total && [...(await device.read(total))]).toEqual([2, 2]);
  });

  it('gives a variable out as it was before its update', async () => {
    const b = new GraphBuilder('before and after');
    const total = b.variable('total', 'f32', [2]);
    b.output('before', total);
    b.update('total', b.binary('add', total, 5));
    const both = await device.compile(b.build(), parameters, {});
    const before = device.alloc('f32', 4);
    const loop = { steps: 2, carry: {}, feed: [], collect: ['before'] };
    await device.run(both, { sizes: {}, inputs: {}, outputs: { before } }, loop);
    expect([...(await device.read(before))]).toEqual([0, 0, 5, 5]);
  });

  it('loses nothing when memory is exhausted', async () => {
    const kept = device.alloc('f32', 3);
    device.write(kept, [1, 2, 3]);
    const full = { code: 'OUT_OF_MEMORY' };
    expect(() => device.alloc('f32', 16 * MIB)).toThrow(expect.objectContaining(full));
    expect(() => device.alloc('f32', 2 ** 40)).toThrow(expect.objectContaining(full));
    await expect(device.compile(accumulate(2), parameters, { N: 2 ** 24 })).rejects.toMatchObject(full);
    await expect(device.loadParameters(weights(2 ** 20), [accumulate(2 ** 20)])).rejects.toMatchObject(full);
    expect([...(await device.read(kept))]).toEqual([1, 2, 3]);
    expect(await run()).toEqual([3, 11]);
    // What failed left nothing behind: the rest is still there, over and over.
    for (let i = 0; i < 20; i++) device.free(device.alloc('f32', MIB));
  });

  it('gives memory back when a load fails or is aborted', async () => {
    const broken = memorySource({ w: store('f32', [MIB / 4, 4], new Float32Array(MIB).fill(Number.NaN)) });
    for (let i = 0; i < 5; i++) {
      await expect(device.loadParameters(broken, [accumulate(MIB / 4)])).rejects.toMatchObject({ code: 'NOT_FINITE' });
    }
    const aborted = device.loadParameters(weights(2), [accumulate(2)], { signal: AbortSignal.abort() });
    await expect(aborted).rejects.toThrow();
    device.free(device.alloc('f32', MIB));
  });

  it('names the weight that is not finite among those that are read with it', async () => {
    const b = new GraphBuilder('three');
    const products = ['u', 'v', 'w'].map((name) =>
      b.linear(b.input(`${name}.x`, 'f32', ['N', 4]), b.parameter(name, 'f32', [8, 4])),
    );
    for (const [i, product] of products.entries()) b.output(`y${i}`, product);
    const numbers = (last: number): Float32Array => Float32Array.from({ length: 32 }, (_, i) => (i === 31 ? last : i));
    const source = (v: number): WeightSource =>
      memorySource({
        u: store('f32', [8, 4], numbers(1)),
        v: store('f32', [8, 4], numbers(v)),
        w: store('f32', [8, 4], numbers(2)),
      });
    for (const threads of [1, 2]) {
      const other = await wasm({ threads }).open();
      const failing = expect(other.loadParameters(source(Number.NaN), [b.build()]));
      await failing.rejects.toMatchObject({ code: 'NOT_FINITE', message: expect.stringContaining('tensor v ') });
      await other.loadParameters(source(3), [b.build()]);
      await other.close();
    }
  });

  it('does not lose weights when memory grows while it loads', async () => {
    const source = weights(2);
    const slow: WeightSource = {
      tensors: source.tensors,
      async read(name, range, signal) {
        const bytes = await source.read(name, range, signal);
        device.alloc('f32', MIB);
        return bytes;
      },
    };
    parameters = await device.loadParameters(slow, [accumulate(2)]);
    executable = await device.compile(accumulate(2), parameters, { N: 3 });
    expect(await run()).toEqual([3, 11]);
  });

  it('with guards fails a kernel that writes past its output', async () => {
    const careless: WasmKernel = {
      encode: ({ inputs: { x }, outputs: { y } }, e) =>
        e.emit('full', { value: e.float(0), y: e.address(y), count: e.word(x ? 9 : 0) }),
    };
    const b = new GraphBuilder('careless');
    b.output('y', b.unary('neg', b.input('x', 'f32', [8])));
    for (const threads of [1, 2]) {
      const guarded = await wasm({ kernels: { unary: [careless] }, guards: true, threads }).open();
      const graph = await guarded.compile(b.build(), await guarded.loadParameters(weights(2), []), {});
      const [x, y] = [guarded.alloc('f32', 8), guarded.alloc('f32', 8)];
      const failing = expect(guarded.run(graph, { sizes: {}, inputs: { x }, outputs: { y } }));
      await failing.rejects.toMatchObject({ code: 'DEVICE_ERROR', message: expect.stringContaining('careless') });
      await guarded.close();
    }
  });

  it('refuses what was freed', async () => {
    const buffer = device.alloc('i32', 2);
    device.free(buffer);
    const freed = expect.objectContaining({ code: 'FOREIGN_OBJECT', message: 'this was freed' });
    expect(() => device.write(buffer, [1])).toThrow(freed);
    expect(() => device.free(buffer)).toThrow(freed);
    await expect(device.read(buffer)).rejects.toEqual(freed);

    const total = parameters.variables.get('total');
    executable.free();
    executable.free();
    await expect(run()).rejects.toEqual(freed);
    executable = await device.compile(accumulate(2), parameters, { N: 3 });
    parameters.free();
    await expect(run()).rejects.toEqual(freed);
    await expect(device.compile(accumulate(2), parameters, { N: 3 })).rejects.toEqual(freed);
    if (total !== undefined) await expect(device.read(total)).rejects.toEqual(freed);
  });

  it('refuses what belongs to others', async () => {
    const other = await wasm().open();
    const foreign = expect.objectContaining({ code: 'FOREIGN_OBJECT' });
    const buffer = other.alloc('f32', 4);
    expect(() => device.write(buffer, [1])).toThrow(foreign);
    await expect(device.read({ dtype: 'f32', elements: 4 })).rejects.toEqual(foreign);
    await expect(other.compile(accumulate(2), parameters, { N: 1 })).rejects.toEqual(foreign);
    const bindings = { sizes: { N: 1 }, inputs: { x: buffer }, outputs: { y: device.alloc('f32', 2) } };
    await expect(device.run(executable, bindings)).rejects.toEqual(foreign);
    const total = parameters.variables.get('total');
    expect(() => total && device.free(total)).toThrow(foreign);
  });

  it('refuses ranges outside a buffer', async () => {
    const buffer = device.alloc('f32', 4);
    const outside = expect.objectContaining({ code: 'OUT_OF_RANGE' });
    expect(() => device.write(buffer, [1, 2], 3)).toThrow(outside);
    expect(() => device.write(buffer, [1], -1)).toThrow(outside);
    expect(() => device.copy(buffer, 0, buffer, 2.5, 1)).toThrow(outside);
    expect(() => device.copy(buffer, 0, device.alloc('i32', 4), 0, 1)).toThrow(outside);
    expect(() => device.alloc('f32', -1)).toThrow(outside);
    expect(() => device.alloc('f32', Number.NaN)).toThrow(outside);
    await expect(device.read(buffer, 0, 5)).rejects.toEqual(outside);
  });

  it('does nothing more once it is closed', async () => {
    const buffer = device.alloc('f32', 1);
    await device.close();
    await device.close();
    const closed = expect.objectContaining({ code: 'DEVICE_CLOSED' });
    expect(() => device.alloc('f32', 1)).toThrow(closed);
    expect(() => device.write(buffer, [1])).toThrow(closed);
    await expect(run()).rejects.toEqual(closed);
    parameters.free();
    executable.free();
  });

  it('says which tensor a graph has that was not loaded', async () => {
    const b = new GraphBuilder('other');
    b.output('y', b.unary('neg', b.parameter('elsewhere', 'f32', [2])));
    await expect(device.compile(b.build(), parameters, {})).rejects.toMatchObject({
      code: 'MISSING_TENSOR',
      message: expect.stringContaining('elsewhere'),
    });
    await expect(device.compile(accumulate(3), parameters, { N: 1 })).rejects.toMatchObject({ code: 'BAD_GRAPH' });
  });

  it('takes kernels of others before its own', async () => {
    const encode: WasmKernel['encode'] = ({ inputs: { x }, outputs: { y } }, e) => {
      const operands = { x: e.address(x), y: e.address(y), count: e.size(...(y?.shape ?? [])) };
      e.emit('unary', { function: e.word(8), ...operands });
    };
    const own = await wasm({ kernels: { reluSquared: [{ encode }] } }).open();
    const b = new GraphBuilder('relu only');
    b.output('y', b.add('reluSquared', { x: b.input('x', 'f32', [3]) }).y);
    const none = await own.loadParameters(memorySource({}), [b.build()]);
    const relu = await own.compile(b.build(), none, {});
    expect(relu.graph.nodes.map(({ op }) => op)).toContain('reluSquared');
    const [x, y] = [own.alloc('f32', 3), own.alloc('f32', 3)];
    own.write(x, [-2, 0, 3]);
    await own.run(relu, { sizes: {}, inputs: { x }, outputs: { y } });
    expect([...(await own.read(y))]).toEqual([0, 0, 3]);
  });

  it('closes when a kernel traps', async () => {
    const encode: WasmKernel['encode'] = ({ outputs: { y } }, e) => {
      e.emit('full', { value: e.float(0), y: e.word(0xffffff00), count: e.size(...(y?.shape ?? [])) });
    };
    const own = await wasm({ kernels: { unary: [{ encode }] } }).open();
    const b = new GraphBuilder('astray');
    b.output('y', b.unary('neg', b.input('x', 'f32', [3])));
    const astray = await own.compile(b.build(), await own.loadParameters(memorySource({}), [b.build()]), {});
    const bindings = { sizes: {}, inputs: { x: own.alloc('f32', 3) }, outputs: { y: own.alloc('f32', 3) } };
    await expect(own.run(astray, bindings)).rejects.toMatchObject({ code: 'DEVICE_ERROR' });
    await expect(own.run(astray, bindings)).rejects.toMatchObject({ code: 'DEVICE_CLOSED' });
  });

  it('says why it does not take a node', () => {
    const b = new GraphBuilder('many axes');
    const shape = Array.from({ length: 9 }, (_, axis) => (axis % 2 === 0 ? 2 : 3));
    const x = b.input('x', 'f32', shape);
    b.output(
      'y',
      b.binary(
        'add',
        x,
        b.input(
          'z',
          'f32',
          shape.map((size, axis) => (axis % 2 === 0 ? size : 1)),
        ),
      ),
    );
    const graph = b.build();
    const node = graph.nodes.find(({ op }) => op === 'binary');
    expect(node && device.supports(node)).toMatch(/9 axes that cannot be joined; 8 at most/);
  });
});
