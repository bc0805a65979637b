import type { ReceptanceError } from '@receptance/core';
import { checkpointError } from '../errors.ts';

export function badGguf(file: string, what: string, cause?: unknown): ReceptanceError {
  return checkpointError('BAD_HEADER', file, what, 'the file is broken, or no GGUF: write or fetch it again', cause);
}
