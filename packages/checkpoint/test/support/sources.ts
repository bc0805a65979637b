import { readFileSync } from 'node:fs';
import { ReceptanceError } from '@receptance/core';
import { expect } from 'vitest';
import type { ByteSource, Checkpoint } from '../../src/index.ts';
import { bytesSource, openCheckpoint } from '../../src/index.ts';

export function fixture(name: string): Uint8Array {
  return new Uint8Array(readFileSync(new URL(`../fixtures/${name}`, import.meta.url)));
}

export function openBytes(bytes: Uint8Array, name = 'test.bin'): Promise<Checkpoint> {
  return openCheckpoint(bytesSource(bytes, name));
}

/** A source that fails the test when more is asked of it than it has. */
export function metered(bytes: Uint8Array): ByteSource {
  const inner = bytesSource(bytes, 'metered');
  return {
    ...inner,
    read(start, end, signal) {
      expect(start).toBeGreaterThanOrEqual(0);
      expect(end).toBeGreaterThanOrEqual(start);
      expect(end).toBeLessThanOrEqual(bytes.length);
      return inner.read(start, end, signal);
    },
  };
}

/** Opens bytes and reads every tensor. */
export async function readAll(source: ByteSource): Promise<Map<string, Uint8Array>> {
  const checkpoint = await openCheckpoint(source);
  const all = new Map<string, Uint8Array>();
  for (const [name, { bytes }] of checkpoint.tensors) {
    expect(bytes).toBeLessThanOrEqual(source.size);
    const read = await checkpoint.read(name);
    expect(read.length).toBe(bytes);
    all.set(name, read);
  }
  return all;
}

/** What any bytes may do: be read, or be refused in order and in time. Returns the code of the refusal. */
export async function survive(bytes: Uint8Array, limit = 1000): Promise<string | undefined> {
  const start = performance.now();
  let code: string | undefined;
  try {
    await readAll(metered(bytes));
  } catch (error) {
    if (!ReceptanceError.isInstance(error)) throw error;
    expect(error.hint).toBeTruthy();
    expect(error.message).toContain('metered');
    code = error.code;
  }
  expect(performance.now() - start).toBeLessThan(limit);
  return code;
}

export async function refusal(promise: Promise<unknown>): Promise<ReceptanceError> {
  try {
    await promise;
  } catch (error) {
    if (ReceptanceError.isInstance(error)) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}
