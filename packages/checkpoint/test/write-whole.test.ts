import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { writeWhole } from '../src/node.ts';
import { refusal } from './support/sources.ts';

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'checkpoint-'));
  path = join(folder, 'model.bin');
});
afterEach(() => rm(folder, { recursive: true }));

describe('writeWhole', () => {
  it('replaces a file when the new one is complete', async () => {
    await writeFile(path, 'old');
    const lengths: number[] = [];
    const pieces = async function* () {
      const [partial = '', ...others] = (await readdir(folder)).filter((name) => name !== 'model.bin');
      expect(partial).toMatch(/^model\.bin\.\d+\.\d+\.partial$/);
      expect(others).toEqual([]);
      yield Uint8Array.of(1, 2);
      expect(await readFile(path, 'utf8')).toBe('old');
      yield Uint8Array.of(3);
    };
    expect(await writeWhole(path, pieces(), (bytes) => lengths.push(bytes))).toBe(3);
    expect(lengths).toEqual([2, 3]);
    expect(new Uint8Array(await readFile(path))).toEqual(Uint8Array.of(1, 2, 3));
    expect(await readdir(folder)).toEqual(['model.bin']);
  });

  it('leaves the old file when the new one fails', async () => {
    await writeFile(path, 'old');
    const pieces = function* () {
      yield Uint8Array.of(1);
      throw new Error('no more');
    };
    await expect(writeWhole(path, pieces())).rejects.toThrow('no more');
    expect(await readFile(path, 'utf8')).toBe('old');
    expect(await readdir(folder)).toEqual(['model.bin']);
  });

  it('writes although a killed process of the same id left its half, and leaves that alone', async () => {
    const left = `${path}.${process.pid}.partial`;
    await writeFile(left, 'half');
    expect(await writeWhole(path, [Uint8Array.of(1)])).toBe(1);
    expect(await readFile(left, 'utf8')).toBe('half');
  });

  it('refuses a folder that is not there', async () => {
    expect(await refusal(writeWhole(join(folder, 'none', 'model.bin'), []))).toMatchObject({
      code: 'WRITE_FAILED',
      hint: expect.any(String),
    });
  });
});
