import { startWorker, type WorkerClient } from '../client/client.ts';

/** The one worker of the page. */
export const worker: WorkerClient = startWorker();
