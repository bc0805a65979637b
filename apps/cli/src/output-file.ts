import { stat } from 'node:fs/promises';
import { ReceptanceError } from '@receptance/core';

/** @throws ReceptanceError `FILE_EXISTS` */
export async function refuseExisting(path: string): Promise<void> {
  const there = await stat(path).catch(() => undefined);
  if (there === undefined) return;
  throw new ReceptanceError('FILE_EXISTS', `${path} is there already`, {
    hint: there.isDirectory() ? 'give a path in it' : 'give another path, or --force to replace it',
  });
}
