import { ReceptanceError } from '@receptance/core';

/** The codes of the errors this package throws; the README says what each means. */
export type CheckpointErrorCode =
  | 'NOT_A_CHECKPOINT'
  | 'TRUNCATED_FILE'
  | 'BAD_HEADER'
  | 'BAD_PICKLE'
  | 'BAD_TENSOR'
  | 'BAD_RANGE'
  | 'UNSUPPORTED_DTYPE'
  | 'OVERFLOW'
  | 'UNSUPPORTED_FORMAT'
  | 'UNSAFE_PICKLE'
  | 'UNKNOWN_TENSOR'
  | 'FILE_NOT_FOUND'
  | 'READ_FAILED'
  | 'NO_RANGES'
  | 'FILE_CHANGED'
  | 'CLOSED';

const LONGEST_NAME = 120;
const LONGEST_MESSAGE = 600;

/** An error about one file. `what` follows the file's name in the message. */
export function checkpointError(
  code: CheckpointErrorCode,
  file: string,
  what: string,
  hint: string,
  cause?: unknown,
): ReceptanceError {
  return new ReceptanceError(code, shorten(`${file}: ${what}`, LONGEST_MESSAGE), { hint, cause });
}

/** A name out of a file, made fit to be shown: quoted, control characters escaped, of bounded length. */
export function quote(name: string): string {
  return JSON.stringify(shorten(name, LONGEST_NAME));
}

function shorten(text: string, longest: number): string {
  return text.length <= longest ? text : `${text.slice(0, longest)}…`;
}
