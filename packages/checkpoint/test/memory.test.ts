import { execFile } from 'node:child_process';
import { closeSync, ftruncateSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { byteLength } from '@receptance/core';
import { afterAll, describe, expect, it } from 'vitest';
import type { ByteSource } from '../src/index.ts';
import { openCheckpoint } from '../src/index.ts';
import { fileSource } from '../src/node.ts';
import { described, gguf, string, value } from './support/gguf.ts';
import { dict, pickle, tensor, string as text } from './support/pickle.ts';
import { u32, u64, utf8, zip } from './support/zip.ts';

const folder = mkdtempSync(join(tmpdir(), 'checkpoint-'));
afterAll(() => rmSync(folder, { recursive: true }));

const LARGE = 400 * 2 ** 20;
/** Rows of 1024 numbers, as many as fit. */
const rows = (dtype: 'f32' | 'q8_0'): number => Math.floor(LARGE / byteLength(dtype, 1024));

/** A file that begins with `head` and is zeros up to `size`; the zeros take no room on the disk. */
function sparse(name: string, head: Uint8Array, size: number, tail = new Uint8Array()): string {
  const path = join(folder, name);
  const file = openSync(path, 'w');
  writeSync(file, head);
  ftruncateSync(file, size - tail.length);
  writeSync(file, tail, 0, tail.length, size - tail.length);
  closeSync(file);
  return path;
}

function largeSafetensors(): string {
  const count = rows('f32');
  const bytes = count * 4096;
  const header = utf8(`{"w":{"dtype":"F32","shape":[${count},1024],"data_offsets":[0,${bytes}]}}`);
  const head = Uint8Array.from([...u64(header.length), ...header]);
  return sparse('large.safetensors', head, head.length + bytes);
}

function largeGguf(): string {
  const count = rows('q8_0');
  const tokens = Array.from({ length: 65536 }, (_, i) => `\\x${i.toString(16)}`);
  const metadata = [...described(), value.string('tokenizer.ggml.model', 'rwkv')];
  const vocabulary = [...string('tokenizer.ggml.tokens'), ...u32(9), ...u32(8), ...u64(tokens.length)];
  for (const token of tokens) vocabulary.push(...string(token));
  const tensors = [{ name: 'output.weight', shape: [count, 1024], type: 8 }];
  const head = gguf({ metadata: [...metadata, vocabulary], tensors });
  return sparse('large.gguf', head, head.length + byteLength('q8_0', count * 1024));
}

function largePth(): string {
  const count = rows('f32');
  const data = pickle(dict([text('w'), tensor({ length: count * 1024, shape: [count, 1024], strides: [1024, 1] })]));
  // The directory and the local header claim a storage whose bytes are a hole in the file.
  const small = zip([
    { name: 'm/data.pkl', data },
    { name: 'm/data/0', data: new Uint8Array() },
  ]);
  const size = count * 4096;
  const view = new DataView(small.buffer);
  // The end record is the last 22 bytes; the directory's second entry is the storage's.
  const directory = view.getUint32(small.length - 22 + 16, true);
  const entry = directory + 46 + 'm/data.pkl'.length;
  const local = view.getUint32(entry + 42, true);
  for (const at of [entry + 20, entry + 24, local + 18, local + 22]) view.setUint32(at, size, true);
  view.setUint32(small.length - 22 + 16, directory + size, true);
  return sparse('large.pth', small.subarray(0, directory), small.length + size, small.slice(directory));
}

describe.each([
  ['safetensors', largeSafetensors],
  ['gguf', largeGguf],
  ['pth', largePth],
] as const)('a .%s of 400 MB', (format, make) => {
  it('is opened by its header, and read by ranges', async () => {
    const file = await fileSource(make());
    expect(file.size).toBeGreaterThan(0.99 * LARGE);
    let fetched = 0;
    let largest = 0;
    const source: ByteSource = {
      ...file,
      read(start, end, signal) {
        fetched += end - start;
        largest = Math.max(largest, end - start);
        return file.read(start, end, signal);
      },
    };
    const before = process.memoryUsage();
    const checkpoint = await openCheckpoint(source);
    const after = process.memoryUsage();
    expect(checkpoint.format).toBe(format);
    expect(fetched).toBeLessThan(4 * 2 ** 20);
    expect(largest).toBeLessThan(2 * 2 ** 20);
    expect(after.heapUsed + after.arrayBuffers - before.heapUsed - before.arrayBuffers).toBeLessThan(100 * 2 ** 20);
    const [name = ''] = checkpoint.tensors.keys();
    const bytes = checkpoint.tensors.get(name)?.bytes ?? 0;
    expect(bytes).toBeGreaterThan(0.99 * LARGE);
    expect(await checkpoint.read(name, { start: bytes - 4, end: bytes })).toEqual(new Uint8Array(4));
    expect(fetched).toBeLessThan(12 * 2 ** 20);
    await checkpoint.close();
  });
});

it('thousands of mutations take no more than 64 MiB beside the file', async () => {
  const program = fileURLToPath(new URL('./support/mutations.ts', import.meta.url));
  const args = ['--conditions=@receptance/source', program];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  const { count, grown } = JSON.parse(stdout) as { count: number; grown: number };
  expect(count).toBe(7000);
  expect(grown).toBeLessThan(64 * 2 ** 20);
});
