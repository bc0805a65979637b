import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { memorySource, store } from '@receptance/conformance';
import { GraphBuilder, ReceptanceError } from '@receptance/core';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type KernelOf, onnx } from '../src/index.ts';
import { RuntimeThread } from '../src/worker/client.ts';
import { codeOf, compileAlone, errorOf, filled, graphOf } from './support.ts';

/** As the backend's own, but that it takes ids as they come. */
const unclamped: KernelOf<'gather'> = {
  lower: ({ table, ids }, _, __, o) => ({ y: o.block.op('Gather', [o.ref(table), o.ref(ids)]) }),
};

/** Of a graph that ONNX Runtime does not take. */
const unknown: KernelOf<'unary'> = { lower: ({ x }, _, __, o) => ({ y: o.block.op('NoSuchOp', [o.ref(x)]) }) };

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'receptance-test-'));
});
afterEach(() => rm(directory, { recursive: true }));

describe('an error that nobody waits for', () => {
  it.runIf(process.platform === 'linux')('is told once, and leaves no session behind', async () => {
    const device = await onnx({ directory, threads: 1, kernels: { gather: [unclamped] } }).open();
    const b = new GraphBuilder('rows');
    const table = b.parameter('table', 'f32', [64, 64]);
    b.output('y', b.add('gather', { table, ids: b.input('ids', 'i32', ['N']) }).y);
    const graph = b.build();
    const source = memorySource({
      table: store(
        'f32',
        [64, 64],
        Array.from({ length: 4096 }, (_, i) => i),
      ),
    });
    const parameters = await device.loadParameters(source, [graph]);
    const executable = await device.compile(graph, parameters, { N: 2 });
    const y = device.alloc('f32', 128);
    const run = (...ids: number[]): Promise<void> =>
      device.run(executable, { sizes: { N: ids.length }, inputs: { ids: filled(device, 'i32', ids) }, outputs: { y } });
    /** How often weights are mapped. */
    const mapped = (): number => readFileSync('/proc/self/maps', 'utf8').split(join(directory, '')).length - 1;

    await run(1);
    const once = mapped();
    expect(once).toBeGreaterThan(0);
    await run(99);
    const error = await errorOf(() => run(2, 3));
    expect(error).toMatchObject({ code: 'DEVICE_ERROR', message: expect.stringContaining('idx=99') });
    await run(2, 3);
    expect((await device.read(y, 63, 2)).join()).toBe('191,192');
    expect(mapped()).toBe(2 * once);
    executable.free();
    await device.read(y);
    expect(mapped()).toBe(0);
    await device.close();
  });
});

describe('what does not open', () => {
  it('leaves no folder behind', async () => {
    const failed = new ReceptanceError('DEVICE_ERROR', 'no adapter');
    const ask = vi.spyOn(RuntimeThread.prototype, 'ask').mockRejectedValueOnce(failed);
    expect(await codeOf(() => onnx({ provider: 'webgpu', directory }).open())).toBe('BACKEND_UNAVAILABLE');
    ask.mockRestore();
    expect(await readdir(directory)).toEqual([]);
  });

  it('is no damaged data file because its path sounds like one', async () => {
    const external = join(directory, 'external');
    await mkdir(external);
    const device = await onnx({ directory: external, threads: 1, kernels: { unary: [unknown] } }).open();
    const graph = graphOf((b, x) => b.unary('neg', x));
    const executable = await compileAlone(device, graph, { N: 1 });
    const inputs = { x: filled(device, 'f32', [1]) };
    const error = await errorOf(() =>
      device.run(executable, { sizes: { N: 1 }, inputs, outputs: { y: device.alloc('f32', 1) } }),
    );
    expect(error?.message).toContain('external');
    expect(error?.code).toBe('DEVICE_ERROR');
    await device.close();
  });
});

describe('a disk without room', () => {
  it.skipIf(process.platform === 'win32')('is told as such, with where to go', async () => {
    const program = fileURLToPath(new URL('support/full-disk.ts', import.meta.url));
    // Of 512 bytes or 1024, as the shell has it.
    const line = 'ulimit -f 64 && exec "$0" --conditions=@receptance/source "$1" "$2"';
    const { stdout } = await promisify(execFile)('sh', ['-c', line, process.execPath, program, directory]);
    const { load, turned, run, exported } = JSON.parse(stdout);
    for (const error of [load, turned, run, exported]) {
      expect(error).toMatchObject({ code: 'WRITE_FAILED', message: expect.stringContaining('EFBIG') });
    }
    for (const { hint } of [load, turned, run]) expect(hint).toContain('`directory`');
    expect(exported.hint).toContain('has room');
    expect(await readdir(directory)).toEqual([]);
  });
});
