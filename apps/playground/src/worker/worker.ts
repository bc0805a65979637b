/** The worker: everything that computes, reads files or stores them happens here, so that the page never waits. */
import { failureOf } from './failure.ts';
import { handlers } from './handlers.ts';
import type { ApiName, FromWorker, ToWorker } from './protocol.ts';

const running = new Map<number, AbortController>();

addEventListener('message', ({ data }: MessageEvent<ToWorker>) => {
  if (data.kind === 'abort') running.get(data.id)?.abort();
  else void serve(data.id, data.name, data.request);
});

async function serve(id: number, name: ApiName, request: unknown): Promise<void> {
  const controller = new AbortController();
  running.set(id, controller);
  const say = (message: FromWorker): void => postMessage(message);
  try {
    // What the page sends for a name is what `Api` says: its client is typed by the same interface.
    const handler: (request: never, context: never) => Promise<unknown> = handlers[name];
    const emit = (event: unknown): void => say({ kind: 'event', id, event });
    const result = await handler(request as never, { emit, signal: controller.signal } as never);
    say({ kind: 'result', id, result });
  } catch (error) {
    say({ kind: 'failure', id, failure: failureOf(error) });
  } finally {
    running.delete(id);
  }
}
