import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type AbortSignalLike, ReceptanceError } from '@receptance/core';

/** Of every other file of an export, as `sha256sum --check` reads it. */
export const SUMS = 'SHA256SUMS';

export async function sumOf(path: string, signal?: AbortSignalLike): Promise<string> {
  const hash = createHash('sha256');
  for await (const piece of createReadStream(path, { highWaterMark: 4 << 20 })) {
    signal?.throwIfAborted();
    hash.update(piece);
  }
  return hash.digest('hex');
}

/**
 * Holds an exported folder to the sums that were written with it.
 * @throws ReceptanceError `BAD_DATA_FILE` for a file that is missing, damaged, or of another export; `FILE_NOT_FOUND` where there are no sums
 */
export async function verifyExport(folder: string, signal?: AbortSignalLike): Promise<void> {
  const text = await readFile(join(folder, SUMS), 'utf8').catch((cause: unknown) => {
    throw new ReceptanceError('FILE_NOT_FOUND', `${folder} has no ${SUMS}`, {
      hint: 'give a folder that an export wrote',
      cause,
    });
  });
  for (const [, expected, name = ''] of text.matchAll(/^([0-9a-f]{64}) {2}(.+)$/gm)) {
    const path = join(folder, name);
    const isThere = await stat(path)
      .then((found) => found.isFile())
      .catch(() => false);
    if (isThere && (await sumOf(path, signal)) === expected) continue;
    throw new ReceptanceError('BAD_DATA_FILE', `${path} ${isThere ? 'is not what was exported' : 'is missing'}`, {
      hint: 'it was changed or cut short, or belongs to another export: export the model again, or copy the folder anew',
    });
  }
}
