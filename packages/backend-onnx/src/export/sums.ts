import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type AbortSignalLike, ReceptanceError } from '@receptance/core';

/** Of every other file of an export, as `sha256sum --check` reads it. */
export const SUMS = 'SHA256SUMS';

/** The other files of an export. */
export const SUMMED = ['initial.onnx', 'model.onnx', 'decode.onnx', 'README.md', 'run.py', 'weights.bin'] as const;

const LINE = /^([0-9a-f]{64}) {2}([^/\\]+)$/;

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
 * @throws ReceptanceError `BAD_DATA_FILE` for a file that is missing, damaged, or of another export, and for sums that are not whole;
 * `FILE_NOT_FOUND` where there are none
 */
export async function verifyExport(folder: string, signal?: AbortSignalLike): Promise<void> {
  const text = await readFile(join(folder, SUMS), 'utf8').catch((cause: unknown) => {
    throw new ReceptanceError('FILE_NOT_FOUND', `${folder} has no ${SUMS}`, {
      hint: 'give a folder that an export wrote',
      cause,
    });
  });
  for (const [name, expected] of parseSums(join(folder, SUMS), text)) {
    const path = join(folder, name);
    const isThere = await stat(path)
      .then((found) => found.isFile())
      .catch(() => false);
    if (isThere && (await sumOf(path, signal)) === expected) continue;
    throw damaged(`${path} ${isThere ? 'is not what was exported' : 'is missing'}`);
  }
}

/** Sums by file: of every file that an export has, and of others that it may have. */
function parseSums(path: string, text: string): ReadonlyMap<string, string> {
  const sums = new Map<string, string>();
  for (const [i, line] of text.replace(/\n$/, '').split('\n').entries()) {
    const [, sum, name] = LINE.exec(line) ?? [];
    if (sum === undefined || name === undefined) throw damaged(`line ${i + 1} of ${path} is no sum of a file`);
    sums.set(name, sum);
  }
  const missing = SUMMED.find((name) => !sums.has(name));
  if (missing !== undefined) throw damaged(`${path} has no sum of ${missing}`);
  return sums;
}

function damaged(message: string): ReceptanceError {
  return new ReceptanceError('BAD_DATA_FILE', message, {
    hint: 'it was changed or cut short, or belongs to another export: export the model again, or copy the folder anew',
  });
}
