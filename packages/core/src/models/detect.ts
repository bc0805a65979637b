import { ReceptanceError } from '../errors.ts';
import type { TensorInfo } from '../weights.ts';
import type { LanguageModel } from './language-model.ts';
import { isRwkv7, rwkv7 } from './rwkv7.ts';

/**
 * The model that a checkpoint's tensor names and shapes describe.
 * @throws ReceptanceError `UNKNOWN_MODEL` when they are of no architecture that is supported
 */
export function detectModel(tensors: ReadonlyMap<string, TensorInfo>): LanguageModel {
  if (isRwkv7(tensors)) return rwkv7(tensors);
  const names = [...tensors.keys()].slice(0, 3).join(', ');
  throw new ReceptanceError(
    'UNKNOWN_MODEL',
    `the tensors (${names}${tensors.size > 3 ? ', …' : ''}) are of no known model`,
    {
      hint: 'RWKV-7 under its official names is supported',
    },
  );
}
