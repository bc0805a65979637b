import { readFileSync } from 'node:fs';
import { ReceptanceError } from '@receptance/core';
import type { ByteSource, Checkpoint } from '../../src/index.ts';
import { bytesSource, openCheckpoint } from '../../src/index.ts';

/** Every file is read or refused within a second, in milliseconds; three of them for a busy machine. */
export const TIME_LIMIT = 3000;

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
      // `expect` would take most of the time of the tests that read ten thousand files.
      if (!(start >= 0 && start <= end && end <= bytes.length)) {
        throw new Error(`[${start}, ${end}) is asked of ${bytes.length}`);
      }
      return inner.read(start, end, signal);
    },
  };
}

/** Opens bytes and reads every tensor. */
export async function readAll(source: ByteSource): Promise<Map<string, Uint8Array>> {
  const checkpoint = await openCheckpoint(source);
  const all = new Map<string, Uint8Array>();
  for (const [name, { bytes }] of checkpoint.tensors) {
    // Transposed blocks are widened: from half a byte to four.
    if (bytes > 8 * source.size) throw new Error(`${name} has ${bytes} bytes, the file ${source.size}`);
    const read = await checkpoint.read(name);
    if (read.length !== bytes) throw new Error(`${name} has ${read.length} bytes instead of ${bytes}`);
    all.set(name, read);
  }
  return all;
}

/** What any bytes may do: be read, or be refused in order and in time. Returns the code of the refusal. */
export function survive(bytes: Uint8Array, limit = TIME_LIMIT): Promise<string | undefined> {
  return refusedInOrder(() => readAll(metered(bytes)), limit);
}

/** The same of opening alone, for larger files. */
export function surviveOpening(bytes: Uint8Array): Promise<string | undefined> {
  return refusedInOrder(() => openCheckpoint(metered(bytes)), TIME_LIMIT);
}

async function refusedInOrder(read: () => Promise<unknown>, limit: number): Promise<string | undefined> {
  const start = performance.now();
  let code: string | undefined;
  try {
    await read();
  } catch (error) {
    if (!ReceptanceError.isInstance(error)) throw error;
    if (!error.hint || !error.message.startsWith('metered: ')) throw error;
    code = error.code;
  }
  const took = performance.now() - start;
  if (took > limit) throw new Error(`it took ${took} ms`);
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
