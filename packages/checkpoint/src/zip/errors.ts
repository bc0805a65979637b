import type { ReceptanceError } from '@receptance/core';
import { checkpointError } from '../errors.ts';

export function badZip(file: string, what: string): ReceptanceError {
  return checkpointError(
    'BAD_HEADER',
    file,
    `the zip archive is broken: ${what}`,
    'fetch or copy the file again, or save it again with torch.save',
  );
}
