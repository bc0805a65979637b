import { startWorker, type WorkerClient } from '../client/client.ts';

/** The worker that texts are written in. */
export const worker: WorkerClient = startWorker();

let trainer: WorkerClient | undefined;

/** A second one of its kind, for training: texts do not wait for a step. It starts when it is first wanted. */
export function trainingWorker(): WorkerClient {
  trainer ??= startWorker();
  return trainer;
}
