import { stripVTControlCharacters } from 'node:util';
import { type Progress, ReceptanceError } from '@receptance/core';

/** Progress of something that is over sooner is not worth a line. */
const PATIENCE_MILLISECONDS = 1000;

/** Signals that end a process at once. */
const ENDING = { SIGHUP: 1, SIGTERM: 15 };

/** Where a command writes, and how it learns that it should stop. */
export class Terminal {
  readonly verbose: boolean;
  readonly json: boolean;
  readonly #abort = new AbortController();
  readonly #began = performance.now();
  /** https://no-color.org */
  readonly #colours =
    process.stdout.isTTY === true && (process.env['NO_COLOR'] ?? '') === '' && process.env['TERM'] !== 'dumb';
  /** What Ctrl-C ends first. */
  #task: AbortController | undefined;
  #interrupted = false;
  #outputClosed = false;
  #lineShown = false;

  constructor({ verbose, json }: { readonly verbose: boolean; readonly json: boolean }) {
    this.verbose = verbose;
    this.json = json;
    process.stdout.on('error', (error) => this.#closeOutput(error));
    process.stderr.on('error', (error) => this.#closeOutput(error));
    process.on('SIGINT', () => this.interrupt());
    // By way of the event `exit`, in which what is half written is removed.
    for (const [signal, number] of Object.entries(ENDING)) process.on(signal, () => process.exit(128 + number));
  }

  /** Aborted by Ctrl-C, and when nobody reads the output any more. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  get interrupted(): boolean {
    return this.#interrupted;
  }

  get outputClosed(): boolean {
    return this.#outputClosed;
  }

  /** Whether a person reads the output. */
  get isInteractive(): boolean {
    return process.stdout.isTTY === true;
  }

  /** What Ctrl-C does. */
  interrupt(): void {
    if (this.#task !== undefined && !this.#task.signal.aborted) return this.#task.abort();
    // Asked twice: whatever holds it up.
    if (this.#interrupted || this.#task !== undefined) process.exit(130);
    this.#interrupted = true;
    this.#abort.abort();
  }

  /** Runs a part of a command that Ctrl-C ends by itself: the command goes on, unless it is asked twice. */
  async interruptible<T>(task: (signal: AbortSignal) => Promise<T>): Promise<T> {
    this.#task = new AbortController();
    try {
      return await task(AbortSignal.any([this.#abort.signal, this.#task.signal]));
    } finally {
      this.#task = undefined;
    }
  }

  /** For what was there before, or is only said beside: greyed where a person reads. */
  dim(text: string): string {
    return this.#colours ? `\x1b[2m${text}\x1b[22m` : text;
  }

  bold(text: string): string {
    return this.#colours ? `\x1b[1m${text}\x1b[22m` : text;
  }

  write(text: string): void {
    if (this.#outputClosed) return;
    this.clearLine();
    process.stdout.write(text);
  }

  writeJson(value: unknown): void {
    this.write(`${JSON.stringify(value)}\n`);
  }

  /** For people, never for programs. */
  note(text: string): void {
    this.clearLine();
    process.stderr.write(`${process.stderr.isTTY === true ? text : stripVTControlCharacters(text)}\n`);
  }

  /** A line that the next output replaces. Only where a person watches, and only once it has taken a while. */
  status(text: string): void {
    if (process.stderr.isTTY !== true || performance.now() - this.#began < PATIENCE_MILLISECONDS) return;
    process.stderr.write(`\r\x1b[K${text}`);
    this.#lineShown = true;
  }

  readonly onProgress = ({ what, done, total }: Progress): void => {
    this.status(`${what} ${total > 0 ? Math.floor((100 * done) / total) : 100} %`);
  };

  /** Takes the status line away. */
  clearLine(): void {
    if (!this.#lineShown) return;
    process.stderr.write('\r\x1b[K');
    this.#lineShown = false;
  }

  #closeOutput(error: Error): void {
    if (!('code' in error) || error.code !== 'EPIPE') {
      throw new ReceptanceError('WRITE_FAILED', `the output could not be written (${error.message})`, {
        hint: 'look whether the disk is full',
        cause: error,
      });
    }
    this.#outputClosed = true;
    this.#abort.abort();
  }
}
