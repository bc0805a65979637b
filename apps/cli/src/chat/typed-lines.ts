import { createInterface, type Interface } from 'node:readline';
import { Writable } from 'node:stream';
import type { Lines } from './lines.ts';

/** A terminal's two sides. */
export interface Screen {
  readonly input: NodeJS.ReadableStream & { setRawMode?(raw: boolean): unknown };
  readonly output: NodeJS.WritableStream & { readonly columns?: number };
}

export interface TypedLinesOptions extends Screen {
  readonly prompt: string;
  /** Aborted when all is to end. */
  readonly signal: AbortSignal;
  /** Completes the first word of a line: whole words. */
  readonly words: readonly string[];
  /** Ctrl-C while no line is waited for, or once more on an empty one. */
  onInterrupt(): void;
  /** Says something to the person, on a line of its own. */
  note(text: string): void;
  /** Stops the process, and those it was started by, until the shell goes on with it. */
  suspend(): void;
}

/**
 * Lines typed behind a prompt, with the keys of readline. What is typed while no line is waited for is not shown, so that it
 * does not get into what is written then; it is there when the next line is waited for.
 */
export class TypedLines implements Lines {
  readonly typed = true;
  readonly #options: TypedLinesOptions;
  readonly #reader: Interface;
  readonly #echo: Echo;
  #ahead: string[] = [];
  #waiting: ((line: string | undefined) => void) | undefined;
  #closed = false;
  /** An empty line was interrupted: the next time it means it. */
  #warned = false;

  constructor(options: TypedLinesOptions) {
    const { input, prompt, words, signal } = options;
    this.#options = options;
    this.#echo = new Echo(options.output);
    const completer = (line: string): [string[], string] => [words.filter((word) => word.startsWith(line)), line];
    this.#reader = createInterface({ input, output: this.#echo, terminal: true, prompt, completer });
    this.#reader.on('line', (line) => this.#take(line));
    this.#reader.on('close', () => this.#end());
    // In raw mode these are keys.
    this.#reader.on('SIGINT', () => this.#interrupt());
    this.#reader.on('SIGTSTP', () => this.#suspend());
    signal.addEventListener('abort', () => this.#reader.close(), { once: true });
  }

  next(): Promise<string | undefined> {
    if (this.#options.signal.aborted) return Promise.resolve(undefined);
    const line = this.#ahead.shift();
    if (line !== undefined) {
      this.#options.output.write(`${this.#options.prompt}${line}\n`);
      return Promise.resolve(line);
    }
    if (this.#closed) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      this.#waiting = resolve;
      this.#show(this.#clear());
    });
  }

  close(): void {
    this.#reader.close();
    this.#echo.close();
  }

  #take(line: string): void {
    this.#warned = false;
    if (this.#waiting === undefined) this.#ahead.push(line);
    else this.#answer(line);
  }

  #answer(line: string | undefined): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    this.#echo.shown = false;
    waiting?.(line);
  }

  #end(): void {
    this.#closed = true;
    this.#answer(undefined);
  }

  #interrupt(): void {
    if (this.#waiting === undefined) {
      this.#ahead = [];
      this.#clear();
      this.#options.onInterrupt();
    } else if (this.#reader.line !== '') {
      this.#options.output.write('^C\n');
      this.#echo.shown = false;
      this.#clear();
      this.#show('');
    } else if (this.#warned) {
      this.#options.onInterrupt();
    } else {
      this.#warned = true;
      this.#options.output.write('\n');
      this.#options.note('Ctrl-C again leaves; so do Ctrl-D and /exit');
      this.#show('');
    }
  }

  #suspend(): void {
    const { input, suspend } = this.#options;
    input.setRawMode?.(false);
    process.once('SIGCONT', () => {
      if (this.#closed) return;
      input.pause();
      input.setRawMode?.(true);
      input.resume();
      if (this.#waiting !== undefined) this.#show(this.#clear());
    });
    suspend();
  }

  /** Takes what stands on the line, unseen. */
  #clear(): string {
    const { line } = this.#reader;
    this.#echo.shown = false;
    this.#reader.write(null, { ctrl: true, name: 'e' });
    this.#reader.write(null, { ctrl: true, name: 'u' });
    return line;
  }

  /** Shows the prompt, and types `text` behind it. */
  #show(text: string): void {
    this.#echo.shown = true;
    this.#reader.prompt();
    if (text !== '') this.#reader.write(text);
  }
}

/** Passes on what readline shows, or nothing. */
class Echo extends Writable {
  shown = false;
  readonly #output: Screen['output'];
  readonly #onResize = (): void => void this.emit('resize');

  constructor(output: Screen['output']) {
    super({ decodeStrings: false });
    this.#output = output;
    output.on('resize', this.#onResize);
  }

  get columns(): number {
    return this.#output.columns ?? 80;
  }

  override _write(chunk: string, _encoding: BufferEncoding, done: () => void): void {
    if (this.shown) this.#output.write(chunk);
    done();
  }

  close(): void {
    this.#output.off('resize', this.#onResize);
  }
}
