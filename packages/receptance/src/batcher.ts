import { ReceptanceError } from '@receptance/core';
import { eventLoopTurn } from './pace.ts';
import type { Queue } from './queue.ts';

export interface BatcherParts<Request, Answer> {
  /** Where runs take their turns on the device. */
  readonly turns: Queue;
  /** How many requests may come at about the same time: as many as there are texts being continued. */
  expected(): number;
  /** Most requests that run together. */
  most(): number;
  /** How many of the first of these, at least one, do; all when left out. */
  fitting?(requests: readonly Request[]): number;
  /** @returns an answer for each request, or what went wrong with that one alone */
  run(requests: readonly Request[]): Promise<readonly (Answer | ReceptanceError)[]>;
}

interface Waiting<Request, Answer> {
  readonly request: Request;
  resolve(answer: Answer): void;
  reject(error: unknown): void;
}

/**
 * Has requests that wait at the same time run together. Who waits is looked at when the device is free, so that
 * sequences join and leave between any two runs; no request waits for one that has not been made.
 */
export class Batcher<Request, Answer> {
  readonly #parts: BatcherParts<Request, Answer>;
  readonly #waiting: Waiting<Request, Answer>[] = [];

  constructor(parts: BatcherParts<Request, Answer>) {
    this.#parts = parts;
  }

  ask(request: Request): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ request, resolve, reject });
      // One turn for each request: a turn serves the oldest at least, and finds nothing when all were served.
      void this.#parts.turns.run(() => this.#serve());
    });
  }

  async #serve(): Promise<void> {
    if (this.#waiting.length === 0) return;
    const { expected, fitting, run } = this.#parts;
    const most = this.#parts.most();
    // Those who were served together ask again within one turn of the event loop.
    if (this.#waiting.length < Math.min(most, expected())) await eventLoopTurn();
    const requests = this.#waiting.slice(0, most).map(({ request }) => request);
    const batch = this.#waiting.splice(0, fitting?.(requests) ?? requests.length);
    try {
      const answers = await run(batch.map(({ request }) => request));
      batch.forEach(({ resolve, reject }, i) => {
        const answer = answers[i];
        if (answer === undefined || ReceptanceError.isInstance(answer)) reject(answer);
        else resolve(answer);
      });
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
  }
}
