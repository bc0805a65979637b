import { createInterface } from 'node:readline';
import type { Terminal } from '../terminal.ts';

/** The lines of stdin: typed behind a prompt, or from a pipe. */
export class Lines {
  /** Whether a person types and reads. */
  readonly typed: boolean;
  readonly #reader: ReturnType<typeof createInterface>;
  readonly #lines: AsyncIterator<string>;
  readonly #signal: AbortSignal;

  constructor(terminal: Terminal) {
    this.typed = process.stdin.isTTY === true && terminal.isInteractive;
    this.#signal = terminal.signal;
    const output = this.typed ? { output: process.stdout, prompt: terminal.bold('> ') } : {};
    this.#reader = createInterface({ input: process.stdin, terminal: this.typed, ...output });
    // In raw mode Ctrl-C is a key.
    this.#reader.on('SIGINT', () => terminal.interrupt());
    this.#signal.addEventListener('abort', () => this.#reader.close(), { once: true });
    this.#lines = this.#reader[Symbol.asyncIterator]();
  }

  /** @returns undefined at the end, and after Ctrl-C */
  async next(): Promise<string | undefined> {
    if (this.typed && !this.#signal.aborted) this.#reader.prompt();
    const { value, done } = await this.#lines.next();
    return done === true || this.#signal.aborted ? undefined : value;
  }

  close(): void {
    this.#reader.close();
    process.stdin.destroy();
  }
}
