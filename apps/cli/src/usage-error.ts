import { ReceptanceError } from '@receptance/core';

/** A command line that cannot be understood, in contrast to one that cannot be carried out: the exit status is 2. */
export class UsageError extends ReceptanceError {}

/** Codes of the runtime for values that only an option can have brought. */
const USAGE_CODES: ReadonlySet<string> = new Set(['BAD_OPTION', 'BAD_SAMPLING']);

/** The exit status after an error. */
export function statusOf(error: unknown): 1 | 2 {
  const usage = error instanceof UsageError || (ReceptanceError.isInstance(error) && USAGE_CODES.has(error.code));
  return usage ? 2 : 1;
}
