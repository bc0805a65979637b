import { rmSync } from 'node:fs';
import { type FileHandle, open, rename, rm, stat } from 'node:fs/promises';
import { ReceptanceError } from '@receptance/core';

type Chunks = Iterable<Uint8Array> | AsyncIterable<Uint8Array>;

/**
 * Writes a file as a whole or not at all: under another name beside it, which it keeps until it is complete.
 * What was there before is replaced.
 * @param onBytes told how many bytes there are so far
 * @returns its bytes
 * @throws ReceptanceError `WRITE_FAILED`, and what `chunks` throws
 */
export async function writeWhole(path: string, chunks: Chunks, onBytes?: (bytes: number) => void): Promise<number> {
  const partial = `${path}.${process.pid}.partial`;
  const file = await writing(path, () => open(partial, 'wx'));
  // A second Ctrl-C ends the process where it stands.
  const remove = (): void => rmSync(partial, { force: true });
  process.once('exit', remove);
  try {
    const bytes = await fill(file, path, chunks, onBytes);
    await writing(path, () => rename(partial, path));
    return bytes;
  } catch (error) {
    await rm(partial, { force: true });
    throw error;
  } finally {
    process.off('exit', remove);
  }
}

/** @throws ReceptanceError `FILE_EXISTS` */
export async function refuseExisting(path: string): Promise<void> {
  const there = await stat(path).catch(() => undefined);
  if (there === undefined) return;
  throw new ReceptanceError('FILE_EXISTS', `${path} is there already`, {
    hint: there.isDirectory() ? 'give a path in it' : 'give another path, or --force to replace it',
  });
}

async function fill(file: FileHandle, path: string, chunks: Chunks, onBytes?: (bytes: number) => void) {
  let bytes = 0;
  try {
    for await (const chunk of chunks) {
      await writing(path, () => file.writeFile(chunk));
      bytes += chunk.length;
      onBytes?.(bytes);
    }
  } finally {
    await file.close();
  }
  return bytes;
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
