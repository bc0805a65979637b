import { renameSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openCheckpointFile } from '@receptance/checkpoint/node';
import type { WeightSource } from '@receptance/core';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type ExportOptions, exportOnnx, verifyExport } from '../src/index.ts';
import { errorOf } from './support.ts';

vi.mock('node:fs', async (original) => {
  const fs = await original<typeof import('node:fs')>();
  return { ...fs, renameSync: vi.fn(fs.renameSync) };
});

const file = new URL('../../conformance/golden/models/rwkv4_l3_c64_v97.safetensors', import.meta.url);

let parent: string;
let checkpoint: WeightSource & { close(): Promise<void> };
beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), 'receptance-test-'));
  checkpoint = await openCheckpointFile(file);
});
afterEach(async () => {
  await checkpoint.close();
  await rm(parent, { recursive: true });
});

async function exportTo(name: string, options: ExportOptions = {}): Promise<string> {
  const folder = `${parent}/${name}`;
  await exportOnnx(checkpoint, folder, options);
  await verifyExport(folder);
  return await readFile(`${folder}/README.md`, 'utf8');
}

describe('a folder', () => {
  it('may be given with a slash at its end, whether it is there or not', async () => {
    expect(await exportTo('out/')).toContain('opset 21');
    expect(await exportTo('out/', { opset: 19, force: true })).toContain('opset 19');
    expect(await readdir(parent)).toEqual(['out']);
  });

  it('is written although a killed process of the same id left its half, which stays', async () => {
    const left = [`out.${process.pid}.old`, `out.${process.pid}.partial`];
    for (const name of left) {
      await mkdir(join(parent, name));
      await writeFile(join(parent, name, 'README.md'), 'half');
    }
    for (const force of [false, true]) await exportTo('out', { force });
    expect((await readdir(parent)).sort()).toEqual(['out', ...left]);
    expect(await readFile(join(parent, left[1] ?? '', 'README.md'), 'utf8')).toBe('half');
  });

  it('stays as it is when the new one cannot take its place', async () => {
    const before = await exportTo('out');
    const { renameSync: rename } = await vi.importActual<typeof import('node:fs')>('node:fs');
    vi.mocked(renameSync)
      .mockImplementationOnce(rename)
      .mockImplementationOnce(() => {
        throw Object.assign(new Error('EBUSY: resource busy or locked, rename'), { code: 'EBUSY', syscall: 'rename' });
      });
    const error = await errorOf(() => exportTo('out', { opset: 19, force: true }));
    expect(error).toMatchObject({ code: 'WRITE_FAILED', message: expect.stringContaining('EBUSY') });
    expect(await readFile(join(parent, 'out/README.md'), 'utf8')).toBe(before);
    await verifyExport(join(parent, 'out'));
    expect(await readdir(parent)).toEqual(['out']);
  });

  it.each([false, true])(
    'is not replaced when it came, with something else in it, while this was written (force: %s)',
    async (force) => {
      const onProgress = (): void =>
        void mkdir(join(parent, 'out')).then(
          () => writeFile(join(parent, 'out/mine'), ''),
          () => undefined,
        );
      expect((await errorOf(() => exportTo('out', { force, onProgress })))?.code).toBe('FILE_EXISTS');
      expect(await readdir(parent)).toEqual(['out']);
      expect(await readdir(join(parent, 'out'))).toEqual(['mine']);
    },
  );
});

describe('sums', () => {
  it.each([
    ['are empty', () => ''],
    ['have no file', (sums: string) => sums.replace(/^.*weights\.bin\n/m, '')],
    ['are cut short', (sums: string) => sums.slice(0, -4)],
    ['are cut within a line', (sums: string) => sums.slice(0, sums.length - 30)],
    ['have another line', (sums: string) => `${sums}\n# weights.bin\n`],
    ['lead out of the folder', (sums: string) => sums.replace('weights.bin', '../weights.bin')],
  ])('that %s are found', async (_, change) => {
    await exportTo('out');
    const path = join(parent, 'out/SHA256SUMS');
    await writeFile(path, change(await readFile(path, 'utf8')));
    await truncate(join(parent, 'out/weights.bin'), 5000);
    const error = await errorOf(() => verifyExport(join(parent, 'out')));
    expect(error).toMatchObject({ code: 'BAD_DATA_FILE', message: expect.stringContaining('SHA256SUMS') });
  });
});

describe('ops', () => {
  it.each([
    [{}, 'ops of the ONNX standard alone', false],
    [{ quant: 'q8_0' }, '(`com.microsoft`, as version 1.30.0 has them)', true],
    [{ quant: 'q8_0', standard: true }, 'ops of the ONNX standard alone', false],
  ] as const)('of %o are as the README says and the models ask for', async (options, said, isOurs) => {
    expect(await exportTo('out', options)).toContain(said);
    const model = await readFile(join(parent, 'out/decode.onnx'));
    expect(model.includes('com.microsoft')).toBe(isOurs);
  });

  it('of the standard leave no choice of activations', async () => {
    const error = await errorOf(() => exportTo('out', { quant: 'q8_0', standard: true, activations: 'int8' }));
    expect(error?.code).toBe('BAD_OPTION');
  });
});
