import type { FileHandle } from 'node:fs/promises';
import { open, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ReceptanceError } from '@receptance/core';
import type { ByteSource } from './byte-source.ts';
import { checkRange, readFailed, shortRead } from './byte-source.ts';
import type { Checkpoint, OpenOptions } from './checkpoint.ts';
import { checkpointError } from './errors.ts';
import { openCheckpoint } from './open.ts';
import { openShards } from './safetensors/shards.ts';

export { writeWhole } from './write-whole.ts';

/** One call to the operating system reads at most 2 GiB. */
const LONGEST_READ = 2 ** 30;

export interface FileSource extends ByteSource {
  close(): Promise<void>;
}

/**
 * The bytes of a file on disk, by ranges.
 * @throws ReceptanceError `FILE_NOT_FOUND`, or `READ_FAILED` when it is no regular file or may not be read.
 */
export async function fileSource(path: string | URL): Promise<FileSource> {
  const name = path instanceof URL ? fileURLToPath(path) : path;
  const handle = await openFile(name);
  try {
    const about = await handle.stat();
    if (!about.isFile()) {
      throw checkpointError('READ_FAILED', name, 'is not a regular file', 'give the path of one checkpoint file');
    }
    const { size } = about;
    return {
      size,
      name,
      async read(start, end, signal, into) {
        signal?.throwIfAborted();
        checkRange({ size, name }, start, end);
        const bytes = into ?? new Uint8Array(end - start);
        for (let done = 0; done < bytes.length; ) {
          const got = await readSome(handle, name, bytes, done, start + done);
          if (got === 0) throw shortRead(name, start, end, start + done);
          done += got;
          signal?.throwIfAborted();
        }
        return bytes;
      },
      close: () => handle.close(),
    };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/**
 * Opens a checkpoint by its path: a file, or a folder as Hugging Face keeps models (or the `.index.json` of its shards).
 * `close()` closes the files.
 */
export async function openCheckpointFile(path: string | URL, options: OpenOptions = {}): Promise<Checkpoint> {
  const name = path instanceof URL ? fileURLToPath(path) : path;
  const index = name.endsWith('.safetensors.index.json') ? basename(name) : undefined;
  const folder = index !== undefined ? dirname(name) : (await isFolder(name)) ? name : undefined;
  if (folder === undefined) return openCheckpoint(await fileSource(name), options);
  try {
    return await openShards((file) => fileSource(join(folder, file)), { ...options, index });
  } catch (cause) {
    if (!ReceptanceError.isInstance(cause) || cause.code !== 'FILE_NOT_FOUND') throw cause;
    const hint = cause.hint === undefined ? {} : { hint: cause.hint };
    throw new ReceptanceError(cause.code, `${folder}: ${cause.message}`, { ...hint, cause });
  }
}

/** What cannot be told is left to the opening of the file. */
async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch {
    return false;
  }
}

async function openFile(name: string): Promise<FileHandle> {
  try {
    return await open(name, 'r');
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') {
      throw checkpointError('FILE_NOT_FOUND', name, 'no such file', 'check the path', cause);
    }
    throw readFailed(name, cause);
  }
}

async function readSome(handle: FileHandle, name: string, into: Uint8Array, at: number, position: number) {
  try {
    const length = Math.min(into.length - at, LONGEST_READ);
    return (await handle.read(into, at, length, position)).bytesRead;
  } catch (cause) {
    throw readFailed(name, cause);
  }
}
