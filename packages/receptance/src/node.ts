import { openCheckpointFile } from '@receptance/checkpoint/node';
import { loadFrom, type ModelOptions, owned } from './load.ts';
import type { Model } from './model.ts';

/**
 * Loads a model from a file, or from a folder as Hugging Face keeps models. Files are read by ranges and closed when
 * loading ends.
 * @throws ReceptanceError `FILE_NOT_FOUND`, `READ_FAILED`, and what `load` throws
 */
export async function loadFile(path: string | URL, options: ModelOptions): Promise<Model> {
  const open = async ({ signal, onProgress }: Pick<ModelOptions, 'signal' | 'onProgress'>) =>
    owned(await openCheckpointFile(path, { signal, onProgress }));
  return loadFrom(() => open(options), open, options);
}
