import { readdir, readFile } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { GoldenFile } from './golden/files.ts';

/** The golden data of this repository; not part of the published package. */
const OWN = new URL('../golden/', import.meta.url);

/**
 * Every file in a directory and below, to be given to `runSuite` or `conformance` as `golden`.
 * @param directory by default that of this repository
 * @throws when the directory cannot be read
 */
export async function goldenFiles(directory: string | URL = OWN): Promise<GoldenFile[]> {
  const root = directory instanceof URL ? fileURLToPath(directory) : directory;
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => {
      const path = join(entry.parentPath, entry.name);
      return { name: relative(root, path).split(sep).join('/'), read: () => readFile(path) };
    });
}
