import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import type { ByteSource } from '../src/index.ts';
import { blobSource, bytesSource, openCheckpoint, openSafetensors } from '../src/index.ts';
import { fileSource, openCheckpointFile } from '../src/node.ts';
import { fixture, refusal } from './support/sources.ts';

const data = Uint8Array.from({ length: 100 }, (_, i) => i);
const folder = mkdtempSync(join(tmpdir(), 'checkpoint-'));
const path = join(folder, 'data.bin');
writeFileSync(path, data);
afterAll(() => rmSync(folder, { recursive: true }));

const sources: Record<string, () => ByteSource | Promise<ByteSource>> = {
  bytes: () => bytesSource(data),
  'a view of bytes': () => bytesSource(new Uint8Array([9, 9, ...data, 9]).subarray(2, 102)),
  'an ArrayBuffer': () => bytesSource(data.slice().buffer),
  'a blob': () => blobSource(new Blob([data])),
  'a file': () => fileSource(path),
};

describe.each(Object.entries(sources))('%s as a source', (_name, make) => {
  it('gives any range', async () => {
    const source = await make();
    expect(source.size).toBe(100);
    expect(await source.read(0, 100)).toEqual(data);
    expect(await source.read(10, 13)).toEqual(Uint8Array.of(10, 11, 12));
    expect(await source.read(100, 100)).toEqual(new Uint8Array(0));
    await source.close?.();
  });

  it('gives arrays that belong to the caller', async () => {
    const source = await make();
    (await source.read(0, 4)).fill(255);
    expect(await source.read(0, 4)).toEqual(Uint8Array.of(0, 1, 2, 3));
    await source.close?.();
  });

  it('refuses to read beyond the end, and what is no range', async () => {
    const source = await make();
    for (const [start, end] of [
      [90, 101],
      [200, 300],
      [0, 2 ** 52],
    ] as const) {
      expect(await refusal(source.read(start, end))).toMatchObject({ code: 'TRUNCATED_FILE' });
    }
    for (const [start, end] of [
      [-1, 3],
      [5, 4],
      [0.5, 3],
      [0, Number.NaN],
      [0, Number.POSITIVE_INFINITY],
    ] as const) {
      expect(await refusal(source.read(start, end))).toMatchObject({ code: 'BAD_RANGE' });
    }
    await source.close?.();
  });

  it('stops when aborted', async () => {
    const source = await make();
    await expect(source.read(0, 4, AbortSignal.abort(new Error('enough')))).rejects.toThrow('enough');
    await source.close?.();
  });
});

describe('names', () => {
  it('are what the source is called', async () => {
    expect(bytesSource(data, 'x').name).toBe('x');
    expect(blobSource(new File([data], 'model.pth')).name).toBe('model.pth');
    expect(blobSource(new Blob([data])).name).toBe('blob');
    const file = await fileSource(pathToFileURL(path));
    expect(file.name).toBe(path);
    await file.close();
  });
});

describe('files', () => {
  it('that do not exist, or are folders, are refused', async () => {
    expect(await refusal(fileSource(join(folder, 'none')))).toMatchObject({ code: 'FILE_NOT_FOUND' });
    expect(await refusal(fileSource(folder))).toMatchObject({ code: 'READ_FAILED' });
    expect(await refusal(fileSource('a\0b'))).toMatchObject({ code: 'READ_FAILED' });
  });

  it('that become shorter while open are noticed', async () => {
    const shrinking = join(folder, 'shrinking.bin');
    writeFileSync(shrinking, data);
    const source = await fileSource(shrinking);
    truncateSync(shrinking, 50);
    expect(await refusal(source.read(40, 60))).toMatchObject({ code: 'TRUNCATED_FILE' });
    await source.close();
    expect(await refusal(source.read(0, 1))).toMatchObject({ code: 'READ_FAILED' });
  });

  it('open as checkpoints by path', async () => {
    const checkpoint = await openCheckpointFile(new URL('fixtures/views.pth', import.meta.url));
    expect(checkpoint.format).toBe('pth');
    await checkpoint.close();
  });
});

describe('a source', () => {
  it('that reads short is noticed', async () => {
    const inner = bytesSource(fixture('views.safetensors'));
    const short: ByteSource = { ...inner, read: async (start, end) => (await inner.read(start, end)).subarray(0, 5) };
    expect(await refusal(openSafetensors(short))).toMatchObject({ code: 'TRUNCATED_FILE' });
  });

  it('whose buffer was transferred is noticed', async () => {
    const buffer = new ArrayBuffer(10);
    const source = bytesSource(buffer);
    structuredClone(buffer, { transfer: [buffer] });
    expect(await refusal(source.read(0, 4))).toMatchObject({ code: 'TRUNCATED_FILE' });
  });

  it.each(['views.pth', 'views.safetensors'])('belongs to the checkpoint that is opened from it: %s', async (name) => {
    let closed = 0;
    const close = async () => {
      closed++;
    };
    const checkpoint = await openCheckpoint({ ...bytesSource(fixture(name)), close });
    expect(closed).toBe(0);
    await checkpoint.close();
    await checkpoint.close();
    expect(closed).toBe(1);
    expect(await refusal(checkpoint.read('base'))).toMatchObject({ code: 'CLOSED' });
    await refusal(openCheckpoint({ ...bytesSource(fixture(name).subarray(0, 400)), close }));
    expect(closed).toBe(2);
  });
});
