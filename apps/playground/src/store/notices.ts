import { signal } from '@preact/signals';
import { WorkerFailure } from '../client/client.ts';

/** Something a person should know: an error with what to do, or a message. */
export interface Notice {
  readonly kind: 'error' | 'info';
  readonly message: string;
  readonly hint?: string | undefined;
}

export const notice = signal<Notice | undefined>(undefined);

export function say(message: string): void {
  notice.value = { kind: 'info', message };
}

export function fail(error: unknown): void {
  notice.value = noticeOf(error);
}

export function noticeOf(error: unknown): Notice {
  if (error instanceof WorkerFailure) return { kind: 'error', message: error.message, hint: error.hint };
  return { kind: 'error', message: error instanceof Error ? error.message : String(error) };
}

export function isAborted(error: unknown): boolean {
  return error instanceof WorkerFailure && error.code === 'ABORTED';
}
