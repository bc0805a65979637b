import { ReceptanceError } from '@receptance/core';
import type { Terminal } from './terminal.ts';

/** Tells what went wrong, on one line and with what to do; the stack only of what nobody foresaw, and only when asked. */
export function reportFailure(error: unknown, terminal: Terminal): void {
  if (ReceptanceError.isInstance(error)) {
    const { code, message, hint } = error;
    if (terminal.json) terminal.writeJson({ error: { code, message, hint } });
    terminal.note(`error [${code}]: ${message}${hint === undefined ? '' : `\nhint: ${hint}`}`);
    return;
  }
  const message = (error instanceof Error ? error.message : String(error)).split('\n', 1)[0] ?? '';
  const hint = 'this was not foreseen: run it again with --verbose for the stack';
  if (terminal.json) terminal.writeJson({ error: { code: 'UNEXPECTED', message, hint } });
  terminal.note(`error: ${message}`);
  terminal.note(terminal.verbose && error instanceof Error ? (error.stack ?? '') : `hint: ${hint}`);
}
