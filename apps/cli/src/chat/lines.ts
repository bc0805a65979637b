import { createInterface } from 'node:readline';

/** What is said, line by line. */
export interface Lines {
  /** Whether a person types and reads. */
  readonly typed: boolean;
  /** @returns undefined at the end, and after Ctrl-C */
  next(): Promise<string | undefined>;
  close(): void;
}

/** The lines of a pipe or a file. */
export function pipedLines(input: NodeJS.ReadableStream, signal: AbortSignal): Lines {
  const reader = createInterface({ input, terminal: false });
  const lines = reader[Symbol.asyncIterator]();
  const close = (): void => reader.close();
  signal.addEventListener('abort', close, { once: true });
  return {
    typed: false,
    close,
    async next() {
      const { value, done } = await lines.next();
      return done === true || signal.aborted ? undefined : value;
    },
  };
}
