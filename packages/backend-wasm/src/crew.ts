import { BackendUnavailableError, ReceptanceError } from '@receptance/core';
import type { LinearMemory } from './memory.ts';
import type { Instance } from './module.ts';
import { WORKER_SOURCE, type WorkerMessage, type WorkerStart } from './worker.ts';

/** Bytes of `team::Control`: four cache lines. */
const CONTROL_BYTES = 256;
/** A signal of two i32, then three f64: the addresses of code, registers and plan. */
const MAILBOX_BYTES = 32;
const STACK_BYTES = 65536;

/** A worker of a browser, of Deno or Bun, or of Node. */
interface Thread {
  post(message: WorkerStart): void;
  /** Whether the process stays alive for it. */
  hold(held: boolean): void;
  stop(): void;
}

interface Listener {
  message(message: WorkerMessage): void;
  fail(error: Error): void;
}

/** The run under way. */
interface Run {
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/**
 * Threads that run programs together. Each waits until the signal changes, runs what the mailbox names, and waits again;
 * the thread that asks never waits, so a page and an event loop go on.
 */
export class Crew {
  readonly #threads: Thread[] = [];
  /** That each has begun. */
  readonly #begun: readonly Promise<void>[];
  #mailbox: { readonly memory: WebAssembly.Memory; readonly address: number } | undefined;
  #run: Run | undefined;
  #failure: Error | undefined;

  /** Lets threads start: `begin` gives them something to work with. */
  constructor(threads: number) {
    this.#begun = Array.from({ length: threads }, () => this.#hire());
  }

  /** @throws BackendUnavailableError when a thread does not start */
  async begin({ module, memory: shared, variant }: Instance, memory: LinearMemory): Promise<void> {
    const control = memory.allocateZeroed(CONTROL_BYTES).address;
    const mailbox = memory.allocateZeroed(MAILBOX_BYTES).address;
    this.#mailbox = { memory: shared, address: mailbox };
    const crew = { module, memory: shared, memory64: variant.memory64, threads: this.size, control, mailbox };
    for (const [id, thread] of this.#threads.entries()) {
      thread.post({ ...crew, id, stack: memory.allocate(STACK_BYTES).address + STACK_BYTES });
    }
    try {
      await Promise.all(this.#begun);
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new BackendUnavailableError('wasm', `a thread did not start: ${reason}`, {
        hint: 'allow workers from blob: in the page’s content security policy, or ask for one thread',
        cause,
      });
    }
  }

  get size(): number {
    return this.#threads.length;
  }

  /**
   * Runs a program on all threads. One at a time.
   * @throws ReceptanceError `DEVICE_ERROR` when a kernel traps or a thread dies: nothing can be run after that
   */
  run(code: number, registers: number, plan: number): Promise<void> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    const mailbox = this.#mailbox;
    if (mailbox === undefined) return Promise.reject(new Error('the threads were not given anything to work with'));
    return new Promise((resolve, reject) => {
      this.#run = { resolve, reject };
      for (const thread of this.#threads) thread.hold(true);
      const { buffer } = mailbox.memory;
      new Float64Array(buffer, mailbox.address + 8, 3).set([code, registers, plan]);
      const signal = new Int32Array(buffer, mailbox.address, 1);
      Atomics.add(signal, 0, 1);
      Atomics.notify(signal, 0);
    });
  }

  /** Stops all threads, also in the middle of a run, which is rejected with `reason`. */
  close(reason: Error = new ReceptanceError('DEVICE_CLOSED', 'the device was closed')): void {
    this.#failure ??= reason;
    for (const thread of this.#threads.splice(0)) thread.stop();
    this.#settle()?.reject(this.#failure);
  }

  #settle(): Run | undefined {
    const run = this.#run;
    this.#run = undefined;
    for (const thread of this.#threads) thread.hold(false);
    return run;
  }

  #hire(): Promise<void> {
    const begun = new Promise<void>((resolve, reject) => {
      const fail = (cause: Error): void => {
        reject(cause);
        this.close(
          new ReceptanceError('DEVICE_ERROR', `a thread of the WebAssembly backend died: ${cause.message}`, {
            hint: 'the device is closed now; please report the graph and its sizes',
            cause,
          }),
        );
      };
      const thread = newThread({
        message: (message) => {
          if (message === 'ready') {
            thread.hold(false);
            resolve();
          } else if (message === 'done') this.#settle()?.resolve();
          else fail(new Error(message.error));
        },
        fail,
      });
      this.#threads.push(thread);
    });
    // Heard by `begin`, if it comes to that.
    begun.catch(() => {});
    return begun;
  }
}

function newThread(listener: Listener): Thread {
  return typeof Worker === 'function' ? newWebThread(listener) : newNodeThread(listener);
}

function newWebThread({ message, fail }: Listener): Thread {
  const url = URL.createObjectURL(new Blob([WORKER_SOURCE], { type: 'text/javascript' }));
  const worker = new Worker(url);
  worker.onmessage = ({ data }: MessageEvent<WorkerMessage>) => {
    URL.revokeObjectURL(url);
    message(data);
  };
  worker.onerror = ({ message }) => fail(new Error(message ?? 'the worker could not be loaded'));
  return {
    post: (start) => worker.postMessage(start),
    hold: () => {},
    stop: () => worker.terminate(),
  };
}

/** The module is asked for at run time, so that bundles for browsers do not look for it. */
function newNodeThread({ message, fail }: Listener): Thread {
  const threads = globalThis.process?.getBuiltinModule?.('node:worker_threads');
  if (threads === undefined) throw new Error('this JavaScript engine has no workers');
  const worker = new threads.Worker(WORKER_SOURCE, { eval: true });
  let stopped = false;
  worker.on('message', message);
  worker.on('error', fail);
  worker.on('exit', (code) => {
    if (!stopped) fail(new Error(`it left with status ${code}`));
  });
  return {
    post: (start) => worker.postMessage(start),
    hold: (held) => (held ? worker.ref() : worker.unref()),
    stop: () => {
      stopped = true;
      void worker.terminate();
    },
  };
}
