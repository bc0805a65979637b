import type { Api, ApiName, Failure, FromWorker, ToWorker } from '../worker/protocol.ts';

/** An error that the worker met: `code`, message and hint as its own. */
export class WorkerFailure extends Error {
  readonly code: string;
  readonly hint: string | undefined;

  constructor({ code, message, hint }: Failure) {
    super(message);
    this.name = 'WorkerFailure';
    this.code = code;
    this.hint = hint;
  }
}

interface Waiting {
  readonly event: (event: never) => void;
  readonly resolve: (result: never) => void;
  readonly reject: (error: Error) => void;
}

export interface CallOptions<Name extends ApiName> {
  readonly onEvent?: (event: Api[Name]['event']) => void;
  readonly signal?: AbortSignal | undefined;
}

/** Calls of the worker, which answer by their numbers. */
export class WorkerClient {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  #calls = 0;

  constructor(worker: Worker) {
    this.#worker = worker;
    worker.addEventListener('message', ({ data }: MessageEvent<FromWorker>) => this.#hear(data));
    worker.addEventListener('error', ({ message }) => this.#fail(message));
  }

  call<Name extends ApiName>(
    name: Name,
    request: Api[Name]['request'],
    { onEvent = () => {}, signal }: CallOptions<Name> = {},
  ): Promise<Api[Name]['result']> {
    const id = this.#calls++;
    const say = (message: ToWorker): void => this.#worker.postMessage(message);
    const abort = (): void => say({ kind: 'abort', id });
    return new Promise<Api[Name]['result']>((resolve, reject) => {
      this.#waiting.set(id, { event: onEvent, resolve, reject });
      say({ kind: 'call', id, name, request });
      if (signal?.aborted) abort();
      signal?.addEventListener('abort', abort);
    }).finally(() => signal?.removeEventListener('abort', abort));
  }

  #hear(message: FromWorker): void {
    const waiting = this.#waiting.get(message.id);
    if (waiting === undefined) return;
    // The worker's handlers are typed by the same `Api` as the calls.
    if (message.kind === 'event') {
      waiting.event(message.event as never);
      return;
    }
    this.#waiting.delete(message.id);
    if (message.kind === 'result') waiting.resolve(message.result as never);
    else waiting.reject(new WorkerFailure(message.failure));
  }

  #fail(message: string): void {
    for (const { reject } of this.#waiting.values()) reject(new WorkerFailure({ code: 'WORKER_FAILED', message }));
    this.#waiting.clear();
  }
}

export function startWorker(): WorkerClient {
  // In one expression, by which Vite knows that a worker begins there.
  return new WorkerClient(
    new Worker(new URL('../worker/worker.ts', import.meta.url), { type: 'module', name: 'receptance' }),
  );
}
