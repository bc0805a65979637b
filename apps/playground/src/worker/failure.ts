import { ReceptanceError } from '@receptance/core';
import type { Failure } from './protocol.ts';

/** An error as the page shows it: one on purpose with its hint, any other by its message. */
export function failureOf(error: unknown): Failure {
  if (ReceptanceError.isInstance(error)) return { code: error.code, message: error.message, hint: error.hint };
  if (error instanceof DOMException && error.name === 'AbortError') return { code: 'ABORTED', message: 'stopped' };
  if (error instanceof Error) return { code: 'UNEXPECTED', message: error.message };
  return { code: 'UNEXPECTED', message: String(error) };
}
