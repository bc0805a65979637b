import { randomInt } from 'node:crypto';
import { rmSync } from 'node:fs';
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { ReceptanceError } from '@receptance/core';

type Chunks = Iterable<Uint8Array> | AsyncIterable<Uint8Array>;

/**
 * Writes a file as a whole or not at all: under another name beside it, which it keeps until it is complete and on the disk.
 * What was there before is replaced. Whatever ends the process, the path holds the old file or the new one; what was
 * half written then lies beside it as `<path>.<pid>.<digits>.partial`.
 * @param onBytes told how many bytes there are so far
 * @returns its bytes
 * @throws ReceptanceError `WRITE_FAILED`, and what `chunks` throws
 */
export async function writeWhole(path: string, chunks: Chunks, onBytes?: (bytes: number) => void): Promise<number> {
  // The process's id alone would not do: in a container one that was killed may have had the same.
  const partial = `${path}.${process.pid}.${randomInt(2 ** 47)}.partial`;
  const file = await writing(path, () => open(partial, 'wx'));
  // A second Ctrl-C ends the process where it stands.
  const remove = (): void => rmSync(partial, { force: true });
  process.once('exit', remove);
  try {
    const bytes = await fill(file, path, chunks, onBytes);
    await writing(path, () => rename(partial, path));
    await syncFolder(dirname(path));
    return bytes;
  } catch (error) {
    await rm(partial, { force: true });
    throw error;
  } finally {
    process.off('exit', remove);
  }
}

async function fill(file: FileHandle, path: string, chunks: Chunks, onBytes?: (bytes: number) => void) {
  let bytes = 0;
  try {
    for await (const chunk of chunks) {
      await writing(path, () => file.writeFile(chunk));
      bytes += chunk.length;
      onBytes?.(bytes);
    }
    await writing(path, () => file.sync());
  } finally {
    await file.close();
  }
  return bytes;
}

/** The new name too survives a loss of power, where a folder can be synchronised at all. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r').catch(() => undefined);
  await folder?.sync().catch(() => undefined);
  await folder?.close();
}

async function writing<T>(path: string, task: () => Promise<T>): Promise<T> {
  try {
    return await task();
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new ReceptanceError('WRITE_FAILED', `${path} could not be written (${why})`, {
      hint: 'give a path in a folder that exists and may be written to',
      cause,
    });
  }
}
