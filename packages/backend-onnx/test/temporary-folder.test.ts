import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { makeFolder } from '../src/temporary-folder.ts';
import { errorOf } from './support.ts';

vi.mock('node:fs/promises', async (original) => {
  const fs = await original<typeof import('node:fs/promises')>();
  return { ...fs, rm: vi.fn(fs.rm) };
});

describe('a folder of a process', () => {
  let directory: string;
  /** Of a process that has ended. */
  let left: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'receptance-test-'));
    const own = basename(await makeFolder(directory));
    const { pid } = spawnSync(process.execPath, ['--version']);
    left = own.replace(`-${process.pid}-`, `-${pid}-`);
    await mkdir(join(directory, left));
    await writeFile(join(directory, left, 'weights-1.bin'), 'weights');
  });
  afterEach(async () => {
    vi.restoreAllMocks();
    await rm(directory, { recursive: true });
  });

  const made = async (): Promise<string[]> => {
    const before = await readdir(directory);
    const own = basename(await makeFolder(directory));
    expect(before).not.toContain(own);
    const after = await readdir(directory);
    expect(after).toContain(own);
    return before.filter((name) => !after.includes(name));
  };

  it('is removed by the next process, once it has ended', async () => {
    expect(await made()).toEqual([left]);
  });

  it('stays where numbers of processes mean others, as in a container or on another host', async () => {
    const other = left.replace(/onnx-[0-9a-f]{12}-/, 'onnx-0123456789ab-');
    await mkdir(join(directory, other));
    expect(await made()).toEqual([left]);
    expect(await readdir(directory)).toContain(other);
  });

  it.runIf(process.getuid)('stays where it is of another user', async () => {
    const own = process.getuid?.() ?? 0;
    vi.spyOn(process, 'getuid').mockReturnValue(own + 1);
    expect(await made()).toEqual([]);
  });

  it('keeps nobody from opening when it cannot be removed', async () => {
    vi.mocked(rm).mockRejectedValueOnce(Object.assign(new Error('EACCES: permission denied'), { code: 'EACCES' }));
    expect(await made()).toEqual([]);
  });

  it('needs a directory', async () => {
    const error = await errorOf(() => makeFolder(join(directory, 'none')));
    expect(error).toMatchObject({ code: 'WRITE_FAILED', message: expect.stringContaining('ENOENT') });
    expect(error?.hint).toContain('`directory`');
  });
});
