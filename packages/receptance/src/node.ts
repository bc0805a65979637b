import { fileSource } from '@receptance/checkpoint/node';
import { load, type ModelOptions } from './load.ts';
import type { Model } from './model.ts';

/**
 * Loads a model from a file. The file is read by ranges and closed when loading ends.
 * @throws ReceptanceError `FILE_NOT_FOUND`, `READ_FAILED`, and what `load` throws
 */
export async function loadFile(path: string | URL, options: ModelOptions): Promise<Model> {
  const source = await fileSource(path);
  try {
    return await load(source, options);
  } finally {
    await source.close();
  }
}
