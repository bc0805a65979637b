import { Worker } from 'node:worker_threads';
import { BackendUnavailableError, ReceptanceError } from '@receptance/core';
import { DEVICE_REMEDY, writeFailed } from '../writing.ts';
import type { Envelope, Failure, Numbers, Ready, Reply, Request } from './messages.ts';

interface Waiting {
  resolve(data: Numbers | undefined): void;
  reject(error: unknown): void;
}

/** The version that models and options are made for. */
export const RUNTIME_VERSION = '1.30.0';

/** What a device asks of it. */
export type Thread = Pick<RuntimeThread, 'post' | 'ask' | 'end'>;

/** The thread that holds ONNX Runtime, seen from outside: requests are answered in the order in which they are made. */
export class RuntimeThread {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  #next = 1;
  /** What goes with the next message. */
  #queue: { envelopes: Envelope[]; transfer: ArrayBuffer[] } = { envelopes: [], transfer: [] };
  #failed: unknown;

  private constructor(worker: Worker) {
    this.#worker = worker;
  }

  /** @throws BackendUnavailableError when ONNX Runtime is not installed, or does not load */
  static async start(): Promise<{ readonly thread: RuntimeThread; readonly ready: Ready }> {
    // TypeScript's own sources run as they are where Node strips types.
    const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
    const worker = new Worker(new URL(`./thread.${extension}`, import.meta.url), { name: 'onnxruntime' });
    const thread = new RuntimeThread(worker);
    const ready = await new Promise<Ready>((resolve, reject) => {
      worker.once('message', (message: Ready | Reply) => {
        if ('ready' in message) resolve(message);
        else reject(missingRuntime(message.error?.message ?? 'it does not load'));
      });
      worker.once('error', (error) => reject(missingRuntime(error.message)));
    });
    worker.removeAllListeners('error');
    worker.on('message', (reply: Reply) => thread.#settle(reply));
    worker.on('error', (error) => thread.#fail(error));
    worker.on('exit', () => thread.#fail(new Error('the thread of ONNX Runtime has ended')));
    worker.unref();
    return { thread, ready };
  }

  /**
   * Without waiting for it; what goes wrong is told to the next request that is waited for. It goes with that, or by itself once nothing
   * else is to be done: a message each would cost more than most of what is asked.
   */
  post(request: Request, transfer: readonly ArrayBuffer[] = []): void {
    if (this.#queue.envelopes.length === 0) setImmediate(() => this.#flush());
    this.#queue.envelopes.push({ id: 0, request });
    this.#queue.transfer.push(...transfer);
  }

  /** @throws ReceptanceError `DEVICE_ERROR`, `BAD_DATA_FILE`, `WRITE_FAILED`, `UNSUPPORTED_OP` */
  ask(request: Request): Promise<Numbers | undefined> {
    if (this.#failed !== undefined) return Promise.reject(deviceError(String(this.#failed)));
    const id = this.#next++;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      // The process may end while nothing is waited for, and not before.
      this.#worker.ref();
      this.#queue.envelopes.push({ id, request });
      this.#flush();
    });
  }

  async end(): Promise<void> {
    await this.ask({ kind: 'end' }).catch(() => undefined);
    this.#worker.removeAllListeners('exit');
    await this.#worker.terminate();
  }

  #flush(): void {
    const { envelopes, transfer } = this.#queue;
    if (envelopes.length === 0) return;
    this.#queue = { envelopes: [], transfer: [] };
    this.#worker.postMessage(envelopes, transfer);
  }

  #settle({ id, data, error }: Reply): void {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (this.#waiting.size === 0) this.#worker.unref();
    if (error === undefined) waiting?.resolve(data);
    else waiting?.reject(failureOf(error));
  }

  #fail(error: unknown): void {
    this.#failed ??= error;
    for (const { reject } of this.#waiting.values()) reject(deviceError(String(error)));
    this.#waiting.clear();
  }
}

function missingRuntime(reason: string): BackendUnavailableError {
  const isMissing = reason.includes('Cannot find package');
  return new BackendUnavailableError('onnx', isMissing ? 'the npm package onnxruntime-node is not installed' : reason, {
    hint: isMissing
      ? `npm install onnxruntime-node@${RUNTIME_VERSION}`
      : `onnxruntime-node ${RUNTIME_VERSION} brings binaries for Linux and Windows on x64 and arm64, and for macOS on arm64; use the wasm backend elsewhere`,
  });
}

function failureOf({ at, message }: Failure): ReceptanceError {
  if (at === 'write') return writeFailed(message, DEVICE_REMEDY);
  if (at === 'data') {
    return new ReceptanceError('BAD_DATA_FILE', `the data file of a model is damaged: ${message}`, {
      hint: 'it was changed or cut short behind the device’s back: load the weights again, and leave its temporary folder alone',
    });
  }
  if (at === 'open' && message.includes('fallback to CPU EP has been explicitly disabled')) {
    return new ReceptanceError('UNSUPPORTED_OP', 'the provider has no kernel for some op of this graph', {
      hint: 'nothing is left to the CPU without a word: use the cpu provider, or the backend webgpu',
    });
  }
  return deviceError(message);
}

function deviceError(message: string): ReceptanceError {
  return new ReceptanceError('DEVICE_ERROR', `ONNX Runtime: ${message}`, {
    hint: 'open the device again; if it comes back, please report the graph, its sizes and the provider',
  });
}
