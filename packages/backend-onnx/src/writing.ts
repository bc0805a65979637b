import { ReceptanceError } from '@receptance/core';

/** What is written while a device is open goes there. */
export const DEVICE_REMEDY =
  'by the option `directory`, or for the system’s temporary folder by TMPDIR, give a folder that exists, may be written to and has room';

/**
 * Does something of which only the writing of a path may fail. What else goes wrong, as when it is aborted, is told as it is.
 * @throws ReceptanceError `WRITE_FAILED`, with the remedy as its hint, for an error of the system
 */
export async function writing<T>(path: string, remedy: string, task: () => T | Promise<T>): Promise<T> {
  try {
    return await task();
  } catch (cause) {
    if (!(cause instanceof Error && 'syscall' in cause)) throw cause;
    throw writeFailed(`${path} could not be written (${cause.message})`, remedy, cause);
  }
}

export function writeFailed(message: string, remedy: string, cause?: unknown): ReceptanceError {
  return new ReceptanceError('WRITE_FAILED', message, { hint: remedy, cause });
}
