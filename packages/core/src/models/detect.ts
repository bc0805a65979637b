import { ReceptanceError } from '../errors.ts';
import type { TensorInfo } from '../weights/weights.ts';
import type { LanguageModel } from './language-model.ts';
import { isRwkv4, rwkv4 } from './rwkv4.ts';
import { isRwkv5, rwkv5 } from './rwkv5.ts';
import { isRwkv6, rwkv6 } from './rwkv6.ts';
import { isRwkv7, type ModelOptions, rwkv7 } from './rwkv7.ts';

const VERSIONS = [
  { is: isRwkv7, make: rwkv7 },
  { is: isRwkv6, make: rwkv6 },
  { is: isRwkv5, make: rwkv5 },
  { is: isRwkv4, make: rwkv4 },
] as const;

/**
 * The model that a checkpoint's tensor names and shapes describe.
 * @throws ReceptanceError `UNKNOWN_MODEL` when they are of no architecture that is supported; `MISSING_TENSOR` or
 * `SHAPE_MISMATCH` when they are of one, but wrong
 */
export function detectModel(tensors: ReadonlyMap<string, TensorInfo>, options: ModelOptions = {}): LanguageModel {
  const version = VERSIONS.find(({ is }) => is(tensors));
  if (version !== undefined) return version.make(tensors, options);
  const names = [...tensors.keys()].slice(0, 3).join(', ');
  throw new ReceptanceError(
    'UNKNOWN_MODEL',
    `the tensors (${names}${tensors.size > 3 ? ', …' : ''}) are of no known model`,
    { hint: 'RWKV-4, 5, 6 and 7 under their official names are supported' },
  );
}
