import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { memorySource, store } from '@receptance/conformance';
import { type Device, type Executable, type Graph, GraphBuilder } from '@receptance/core';
import { afterEach, describe, expect, it } from 'vitest';
import { wasm } from '../src/index.ts';

const WIDTH = 40_000;

/** total += x, y = total: enough to be shared. */
function add(): Graph {
  const b = new GraphBuilder('add');
  const sum = b.binary('add', b.variable('total', 'f32', [WIDTH]), b.input('x', 'f32', [WIDTH]));
  b.output('y', sum);
  b.update('total', sum);
  return b.build();
}

describe('a device with threads', () => {
  const open: Device[] = [];
  afterEach(async () => {
    for (const device of open.splice(0)) await device.close();
  });

  async function ready(threads: number): Promise<{ device: Device; executable: Executable }> {
    const device = await wasm({ threads }).open();
    open.push(device);
    const parameters = await device.loadParameters(memorySource({}), [add()]);
    return { device, executable: await device.compile(add(), parameters, {}) };
  }

  it('keeps the order of what it is asked for, without being waited for', async () => {
    const { device, executable } = await ready(3);
    const [x, y, copy] = [device.alloc('f32', WIDTH), device.alloc('f32', WIDTH), device.alloc('f32', WIDTH)];
    const bindings = { sizes: {}, inputs: { x }, outputs: { y } };
    const answers: Promise<unknown>[] = [];
    for (let i = 1; i <= 50; i++) {
      device.write(x, new Float32Array(WIDTH).fill(i));
      answers.push(device.run(executable, bindings));
      device.copy(y, 0, copy, 0, WIDTH);
      answers.push(device.read(copy, i, 1));
    }
    const sums = Array.from({ length: 50 }, (_, i) => ((i + 1) * (i + 2)) / 2);
    const got = await Promise.all(answers);
    expect(got.filter((_, i) => i % 2 === 1).map((numbers) => [...(numbers as Float32Array)][0])).toEqual(sums);
    const all = await device.read(y);
    expect(all.every((number) => number === 1275)).toBe(true);
  });

  it('frees what is in use when it is not any more', async () => {
    const { device, executable } = await ready(2);
    const [x, y] = [device.alloc('f32', WIDTH), device.alloc('f32', WIDTH)];
    device.write(x, new Float32Array(WIDTH).fill(1));
    const loop = { steps: 200, carry: {}, feed: [], collect: [] };
    const running = device.run(executable, { sizes: {}, inputs: { x }, outputs: { y } }, loop);
    const answer = device.read(y, 0, 1);
    device.free(x);
    // Would be given the place of x, were that free already.
    const other = device.alloc('f32', WIDTH);
    device.write(other, new Float32Array(WIDTH).fill(1000));
    await running;
    expect([...(await answer)]).toEqual([200]);
  });

  it('is closed in the middle of a run', async () => {
    const { device, executable } = await ready(2);
    const [x, y] = [device.alloc('f32', WIDTH), device.alloc('f32', WIDTH)];
    const bindings = { sizes: {}, inputs: { x }, outputs: { y } };
    const endless = device.run(executable, bindings, { steps: 2 ** 30, carry: {}, feed: [], collect: [] });
    const waiting = device.run(executable, bindings);
    const closing = expect(endless).rejects.toMatchObject({ code: 'DEVICE_CLOSED' });
    const never = expect(waiting).rejects.toMatchObject({ code: 'DEVICE_CLOSED' });
    await device.close();
    await Promise.all([closing, never]);
  });

  it('leaves nothing behind, however often it is opened and closed', async () => {
    const cycle = async (threads: number): Promise<void> => {
      const device = await wasm({ threads }).open();
      device.alloc('f32', 1 << 20);
      await device.close();
    };
    for (let i = 0; i < 100; i++) await cycle(1);
    const before = process.memoryUsage.rss();
    for (let i = 0; i < 940; i++) await cycle(1);
    for (let i = 0; i < 60; i++) await cycle(2);
    // Kept, they would be 4 GiB and more; collected, what is there comes and goes by some hundred MiB.
    expect(process.memoryUsage.rss() - before).toBeLessThan(2 ** 30);
  });

  it('says how many threads it cannot have', async () => {
    for (const threads of [0, -1, 1.5, Number.NaN]) {
      await expect(wasm({ threads }).open()).rejects.toMatchObject({ code: 'BAD_OPTION' });
    }
    expect((await ready(2)).device.info).toMatchObject({ threads: 2, adapter: 'relaxed SIMD' });
    expect((await ready(1)).device.info.threads).toBe(1);
  });
});

describe('a worker that leaves by itself', () => {
  /** What a process with such a worker printed; it has to end by itself, without an error of its own. */
  async function leaving(thread: number, when: 'start' | 'amid' | 'after'): Promise<string[]> {
    const script = fileURLToPath(new URL('support/leaving.ts', import.meta.url));
    const args = ['--conditions=@receptance/source', script, String(thread), when];
    const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: 60_000 });
    return stdout.trim().split('\n');
  }

  const died = 'DEVICE_ERROR a thread of the WebAssembly backend died: it left with status 7';
  const closed = 'third run: DEVICE_CLOSED the device is closed';

  it.each([0, 1])('amid a run, thread %i', async (thread) => {
    const second = 'second run: DEVICE_CLOSED the device is closed';
    expect(await leaving(thread, 'amid')).toEqual(['open: done', `first run: ${died}`, second, closed]);
  });

  it('between two runs, thread 1', async () => {
    expect(await leaving(1, 'after')).toEqual(['open: done', 'first run: done', `second run: ${died}`, closed]);
  });

  it('before it is ready', async () => {
    expect(await leaving(0, 'start')).toEqual([
      'open: BACKEND_UNAVAILABLE backend wasm is not available: a thread did not start: it left with status 7',
    ]);
  });
});

describe('weights as they are stored', () => {
  const [rows, columns] = [12, 64];
  const numbers = Float32Array.from({ length: rows * columns }, (_, i) => ((i * 37) % 101) / 50 - 1);

  async function multiply(
    tensor: ReturnType<typeof store>,
    { threads = 1, transposed = false } = {},
  ): Promise<{ y: number[]; bytes: number }> {
    const [stored = 0, inner = 0] = tensor.shape;
    const [rows, columns] = transposed ? [inner, stored] : [stored, inner];
    const b = new GraphBuilder('product');
    const w = b.parameter('w', tensor.dtype, [stored, inner]);
    b.output('y', b.linear(b.input('x', 'f32', ['N', columns]), w, transposed));
    const graph = b.build();
    const device = await wasm({ threads }).open();
    const parameters = await device.loadParameters(memorySource({ w: tensor }), [graph]);
    const executable = await device.compile(graph, parameters, { N: 1 });
    const [x, y] = [device.alloc('f32', columns), device.alloc('f32', rows)];
    device.write(
      x,
      Float32Array.from({ length: columns }, (_, i) => (i % 7) - 3),
    );
    await device.run(executable, { sizes: { N: 1 }, inputs: { x }, outputs: { y } });
    const result = { y: [...(await device.read(y))], bytes: parameters.bytes };
    await device.close();
    return result;
  }

  it('takes no more memory than they are stored in', async () => {
    const elements = rows * columns;
    for (const [dtype, bytes] of [
      ['f32', 4],
      ['f16', 2],
      ['bf16', 2],
      ['q8_0', 34 / 32],
      ['q4_0', 18 / 32],
    ] as const) {
      const got = await multiply(store(dtype, [rows, columns], numbers));
      expect(got.bytes, dtype).toBe(Math.ceil((elements * bytes) / 64) * 64);
    }
  });

  it('are packed the other way round where a product wants them so', async () => {
    for (const dtype of ['f32', 'f16', 'bf16'] as const) {
      // Whole blocks or not: values that f16 and bf16 hold.
      for (const [inner, outer] of [
        [64, 12],
        [301, 10],
      ] as const) {
        const number = (row: number, column: number): number => ((row * 37 + column * 11) % 101) / 64 - 0.75;
        const across = Float32Array.from({ length: inner * outer }, (_, i) => number(i % outer, Math.floor(i / outer)));
        const along = Float32Array.from({ length: inner * outer }, (_, i) => number(Math.floor(i / inner), i % inner));
        const expected = await multiply(store(dtype, [outer, inner], along));
        for (const threads of [1, 2]) {
          const got = await multiply(store(dtype, [inner, outer], across), { threads, transposed: true });
          expect(got, `${dtype} ${inner} × ${outer}`).toEqual(expected);
        }
      }
    }
  });

  it('widens halves that are too large for the packed form', async () => {
    const large = numbers.map((x, i) => (i === 5 ? 512 : x));
    const [half, exact] = [
      await multiply(store('f16', [rows, columns], large)),
      await multiply(store('f32', [rows, columns], large)),
    ];
    expect(half.bytes).toBe(exact.bytes);
    for (const [i, y] of half.y.entries()) expect(Math.abs(y - (exact.y[i] ?? 0))).toBeLessThan(0.05);
  });

  it('names weights that would not fit, and what would', async () => {
    const big = { dtype: 'f32', shape: [2 ** 16, 2 ** 14], bytes: 2 ** 32 } as const;
    const source = { tensors: new Map([['w', big]]), read: () => Promise.reject(new Error('nothing is to be read')) };
    const b = new GraphBuilder('large');
    b.output('y', b.linear(b.input('x', 'f32', ['N', 2 ** 14]), b.parameter('w', 'f32', big.shape)));
    const device = await wasm({ threads: 1 }).open();
    await expect(device.loadParameters(source, [b.build()])).rejects.toMatchObject({
      code: 'OUT_OF_MEMORY',
      message: expect.stringContaining('4.0 GiB'),
      hint: expect.stringMatching(/weights: 'f16'.*memory64: true/),
    });
    await device.close();
  });
});
