import { memorySource, store } from '@receptance/conformance';
import { BackendUnavailableError, type Device, GraphBuilder, ReceptanceError } from '@receptance/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { KernelOf } from '../src/index.ts';
import { findAdapter, findGpu, openDevice } from '../src/platform.ts';
import { compileAlone, filled, gpuSource, graphOf, NO_WEIGHTS, runOn, withoutTest } from './support.ts';

/** The code of the error that a call ends with. */
async function codeOf(body: () => unknown): Promise<string> {
  try {
    await body();
  } catch (error) {
    if (ReceptanceError.isInstance(error)) return error.code;
    throw error;
  }
  return 'none';
}

describe('a device', () => {
  let device: Device;
  beforeAll(async () => {
    device = await withoutTest().open();
  });
  afterAll(() => device.close());

  it('says what it is', () => {
    expect(device.info).toMatchObject({ backend: 'webgpu', float: 'f32', ragged: true });
    expect(device.info.adapter).not.toBe('');
  });

  it('gives zeroed memory, and back what was written, ranges too', async () => {
    const buffer = device.alloc('f32', 5);
    device.write(buffer, [1, 2], 3);
    expect([...(await device.read(buffer))]).toEqual([0, 0, 0, 1, 2]);
    expect([...(await device.read(buffer, 2, 2))]).toEqual([0, 1]);
    expect(await device.read(buffer, 5)).toHaveLength(0);
    const empty = device.alloc('i32', 0);
    expect(await device.read(empty)).toEqual(new Int32Array(0));
  });

  it('copies between buffers and within one', async () => {
    const [a, b] = [filled(device, 'i32', [1, 2, 3, 4]), device.alloc('i32', 4)];
    device.copy(a, 1, b, 2, 2);
    device.copy(a, 0, a, 2, 2);
    expect([...(await device.read(b))]).toEqual([0, 0, 2, 3]);
    expect([...(await device.read(a))]).toEqual([1, 2, 1, 2]);
    expect(await codeOf(() => device.copy(a, 0, a, 1, 2))).toBe('OUT_OF_RANGE');
    expect(await codeOf(() => device.copy(a, 0, device.alloc('f32', 4), 0, 2))).toBe('OUT_OF_RANGE');
    expect(await codeOf(() => device.copy(a, 3, b, 0, 2))).toBe('OUT_OF_RANGE');
  });

  it('refuses ranges outside a buffer', async () => {
    const buffer = device.alloc('f32', 4);
    expect(await codeOf(() => device.read(buffer, 3, 2))).toBe('OUT_OF_RANGE');
    expect(await codeOf(() => device.write(buffer, [1], -1))).toBe('OUT_OF_RANGE');
    expect(await codeOf(() => device.write(buffer, [1], 0.5))).toBe('OUT_OF_RANGE');
    expect(await codeOf(() => device.alloc('f32', -1))).toBe('OUT_OF_RANGE');
  });

  it('refuses what another device made', async () => {
    const other = await withoutTest().open();
    const [buffer, graph] = [other.alloc('f32', 1), graphOf((b, x) => b.unary('neg', x))];
    const executable = await compileAlone(other, graph, { N: 1 });
    expect(await codeOf(() => device.read(buffer))).toBe('FOREIGN_OBJECT');
    expect(await codeOf(() => device.run(executable, { sizes: { N: 0 }, inputs: {}, outputs: {} }))).toBe(
      'FOREIGN_OBJECT',
    );
    await other.close();
  });

  it('refuses what was freed', async () => {
    const buffer = device.alloc('f32', 1);
    device.free(buffer);
    expect(await codeOf(() => device.read(buffer))).toBe('FOREIGN_OBJECT');
    const graph = graphOf((b, x) => b.unary('neg', x));
    const parameters = await device.loadParameters(NO_WEIGHTS, [graph]);
    const executable = await device.compile(graph, parameters, { N: 1 });
    parameters.free();
    expect(await codeOf(() => runOn(device, executable, [1], 1))).toBe('FOREIGN_OBJECT');
  });

  it('tells how far compiling is', async () => {
    const graph = graphOf((b, x) => b.unary('exp', b.binary('max', x, 1)));
    const heard: number[] = [];
    const onProgress = ({ done, total }: { done: number; total: number }): number => heard.push(done / total);
    await device.compile(graph, await device.loadParameters(NO_WEIGHTS, [graph]), { N: 1 }, { onProgress });
    expect(heard[0]).toBe(0);
    expect(heard.at(-1)).toBe(1);
  });

  it('runs one executable at many sizes, 0 too', async () => {
    const executable = await compileAlone(
      device,
      graphOf((b, x) => b.binary('add', b.unary('neg', x), 1)),
      { N: 200 },
    );
    for (const n of [1, 200, 0, 65, 1]) {
      const x = Array.from({ length: n }, (_, i) => i);
      expect([...(await runOn(device, executable, x, n))]).toEqual(x.map((i) => 1 - i));
    }
    expect(await codeOf(() => runOn(device, executable, new Array(201).fill(0), 201))).toBe('BAD_BINDINGS');
  });

  it('takes more workgroups than one dimension holds', async () => {
    const n = 65_536 * 64 + 3;
    const executable = await compileAlone(
      device,
      graphOf((b) => b.full(3, ['N'])),
      { N: n },
    );
    const y = device.alloc('f32', n + 1);
    await device.run(executable, { sizes: { N: n }, inputs: {}, outputs: { y } });
    expect([...(await device.read(y, n - 2, 3))]).toEqual([3, 3, 0]);
  });

  it('refuses a variable that is updated bound to something else', async () => {
    const b = new GraphBuilder('test');
    const [v, x] = [b.variable('v', 'f32', [2]), b.input('x', 'f32', [2])];
    b.update('v', b.binary('add', v, x));
    b.output('y', b.unary('neg', x));
    const graph = b.build();
    const parameters = await device.loadParameters(NO_WEIGHTS, [graph]);
    const executable = await device.compile(graph, parameters, {});
    const [own, other] = [parameters.variables.get('v') ?? device.alloc('f32', 2), device.alloc('f32', 2)];
    const run = (input: typeof own, output: typeof own) => () =>
      device.run(executable, { sizes: {}, inputs: { x: input }, outputs: { y: output } });
    expect(await codeOf(run(own, other))).toBe('BAD_BINDINGS');
    expect(await codeOf(run(other, own))).toBe('BAD_BINDINGS');
    expect(await codeOf(run(filled(device, 'f32', [1, 2]), other))).toBe('none');
    expect([...(await device.read(own))]).toEqual([1, 2]);
  });

  it('refuses damaged weights, and tells how far loading is', async () => {
    const b = new GraphBuilder('test');
    b.output('y', b.parameter('w', 'f32', [3]));
    const graph = b.build();
    const damaged = memorySource({ w: store('f32', [3], [1, Number.NaN, 2]) });
    expect(await codeOf(() => device.loadParameters(damaged, [graph]))).toBe('NOT_FINITE');
    const heard: number[] = [];
    const whole = memorySource({ w: store('f16', [3], [1, -2, 0.5]) });
    const onProgress = ({ done, total }: { done: number; total: number }): number => heard.push(done / total);
    const parameters = await device.loadParameters(whole, [graph], { onProgress });
    expect(heard.at(-1)).toBe(1);
    const executable = await device.compile(graph, parameters, {});
    const y = device.alloc('f32', 3);
    await device.run(executable, { sizes: {}, inputs: {}, outputs: { y } });
    expect([...(await device.read(y))]).toEqual([1, -2, 0.5]);
  });

  it('refuses a tensor that no binding holds, before it allocates', async () => {
    expect(await codeOf(() => device.alloc('f32', 2 ** 40))).toBe('TENSOR_TOO_LARGE');
    const graph = graphOf((b, x) => b.binary('mul', b.broadcast(x, [2 ** 30, 'N']), 2));
    expect(await codeOf(() => compileAlone(device, graph, { N: 64 }))).toBe('TENSOR_TOO_LARGE');
  });
});

describe('an error of the GPU', () => {
  const neg = (code: string, launch = { workgroups: 1, params: [1] }): KernelOf<'unary'> => ({
    lower: ({ x }, { y }) => [
      {
        shader: { name: 'contributed', code },
        bindings: [
          { operand: x, access: 'read' },
          { operand: y, access: 'write' },
        ],
        launch: () => launch,
      },
    ],
  });
  const shader = `
    @group(0) @binding(1) var<storage, read> x: array<f32>;
    @group(0) @binding(2) var<storage, read_write> y: array<f32>;
    @compute @workgroup_size(1) fn main() { y[0] = 2.0 * sigmoid(x[0]); }`;
  const graph = graphOf((b, x) => b.unary('neg', x));

  it('is none with a contributed kernel that is right', async () => {
    const device = await withoutTest({ kernels: { unary: [neg(shader)] } }).open();
    const executable = await compileAlone(device, graph, { N: 1 });
    expect([...(await runOn(device, executable, [0], 1))]).toEqual([1]);
    await device.close();
  });

  it('names the line of a shader that does not compile', async () => {
    const device = await withoutTest({ kernels: { unary: [neg('fn main() { nonsense }')] } }).open();
    await expect(compileAlone(device, graph, { N: 1 })).rejects.toThrow(/contributed.*does not compile: \d+: /);
    expect(await codeOf(() => compileAlone(device, graph, { N: 1 }))).toBe('BAD_KERNEL');
    await device.close();
  });

  it('rejects the next promise, once', async () => {
    const tooMany = neg(shader, { workgroups: 2 ** 33, params: [] });
    const device = await withoutTest({ kernels: { unary: [tooMany] } }).open();
    const executable = await compileAlone(device, graph, { N: 1 });
    expect(await codeOf(() => runOn(device, executable, [0], 1))).toBe('DEVICE_ERROR');
    expect(await codeOf(() => device.read(device.alloc('f32', 1)))).toBe('none');
    await device.close();
  });

  it('is found where a kernel writes past the end of its memory, under guard', async () => {
    const beyond = shader.replace('y[0] =', 'y[4] = 1.0; y[0] =');
    for (const guards of [false, true]) {
      const device = await withoutTest({ guards, kernels: { unary: [neg(beyond)] } }).open();
      const executable = await compileAlone(device, graph, { N: 1 });
      const code = await codeOf(() => runOn(device, executable, [0], 1));
      expect(code).toBe(guards ? 'BAD_KERNEL' : 'none');
      await device.close();
    }
  });

  it('refuses a kernel that launches nonsense', async () => {
    for (const launch of [
      { workgroups: -1, params: [] },
      { workgroups: 1, params: new Array<number>(65).fill(0) },
    ]) {
      const device = await withoutTest({ kernels: { unary: [neg(shader, launch)] } }).open();
      const executable = await compileAlone(device, graph, { N: 1 });
      expect(await codeOf(() => runOn(device, executable, [0], 1))).toBe('BAD_KERNEL');
      await device.close();
    }
  });

  it('is lack of memory by its name', async () => {
    const own = await openDevice(await findAdapter(gpuSource));
    const device = await withoutTest({ device: own }).open();
    const pop = own.popErrorScope.bind(own);
    const scopes: string[] = [];
    own.pushErrorScope = ((push) => (filter) => {
      scopes.push(filter);
      push(filter);
    })(own.pushErrorScope.bind(own));
    own.popErrorScope = async () => {
      const filter = scopes.pop();
      await pop();
      return filter === 'out-of-memory' ? ({ message: 'no room' } as GPUError) : null;
    };
    const buffer = device.alloc('f32', 1);
    expect(await codeOf(() => device.read(buffer))).toBe('OUT_OF_MEMORY');
    own.destroy();
  });

  it('is told when the device is lost, and ever after', async () => {
    const gpu = await findGpu();
    const own = await openDevice(await findAdapter(gpu));
    const device = await withoutTest({ device: own }).open();
    const buffer = device.alloc('f32', 1);
    own.destroy();
    expect(await codeOf(() => device.read(buffer))).toBe('DEVICE_LOST');
    expect(await codeOf(() => device.read(buffer))).toBe('DEVICE_LOST');
  });

  it('is told after close', async () => {
    const device = await withoutTest().open();
    const buffer = device.alloc('f32', 1);
    await device.close();
    expect(await codeOf(() => device.read(buffer))).toBe('DEVICE_CLOSED');
    expect(await codeOf(() => device.write(buffer, [1]))).toBe('DEVICE_CLOSED');
    expect(await codeOf(() => device.alloc('f32', 1))).toBe('DEVICE_CLOSED');
  });
});

it('says why there is no WebGPU, and what to do', async () => {
  const gpu = { ...(await findGpu()), requestAdapter: async () => null } as unknown as GPU;
  const error = await withoutTest({ gpu })
    .open()
    .catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(BackendUnavailableError);
  expect(error).toMatchObject({ code: 'BACKEND_UNAVAILABLE', hint: expect.stringContaining('Vulkan') });
});
