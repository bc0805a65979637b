import { readFile } from 'node:fs/promises';
import { ReceptanceError } from '@receptance/core';

/**
 * The text of a small file that an option names.
 * @throws ReceptanceError `FILE_NOT_FOUND`, `READ_FAILED`
 */
export async function readText(path: string, hint: string): Promise<string> {
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(await readBytes(path, hint));
}

/** @throws ReceptanceError `FILE_NOT_FOUND`, `READ_FAILED` */
export async function readBytes(path: string, hint: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (cause) {
    const missing = cause instanceof Error && 'code' in cause && cause.code === 'ENOENT';
    const why = missing ? 'no such file' : String(cause instanceof Error ? cause.message : cause);
    throw new ReceptanceError(missing ? 'FILE_NOT_FOUND' : 'READ_FAILED', `${path}: ${why}`, { hint, cause });
  }
}
