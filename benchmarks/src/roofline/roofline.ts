import { once } from 'node:events';
import { Worker } from 'node:worker_threads';

/** Of each thread: far more than a core's share of any cache. */
export const PROBE_BYTES: number = 128 << 20;

export interface ProbeOrder {
  readonly milliseconds: number;
  /** What the gate shows until all may begin. */
  readonly turn: number;
}

export interface ProbeResult {
  readonly bytesPerSecond: number;
  readonly flopsPerSecond: number;
}

/** What so many threads reach together, in WebAssembly: native code may read a little faster. */
export interface Roofline extends ProbeResult {
  readonly threads: number;
  /** Whether multiply and add were one instruction (relaxed SIMD). */
  readonly fused: boolean;
}

const MILLISECONDS = 250;

/** Threads that stay for a whole run, so that the roofline can be probed again and again between measurements. */
export class RooflineProbe {
  readonly #gate = new Int32Array(new SharedArrayBuffer(4));
  readonly #workers: readonly Worker[];
  readonly #best = new Map<number, Roofline>();
  #fused = false;

  /** @param most threads at a time */
  constructor(most: number) {
    this.#workers = Array.from(
      { length: most },
      () => new Worker(new URL('worker.ts', import.meta.url), { workerData: this.#gate.buffer }),
    );
  }

  async ready(): Promise<void> {
    const said = await Promise.all(this.#workers.map((worker) => once(worker, 'message')));
    this.#fused = said.every(([fused]) => fused === true);
  }

  /** Probes every number of threads once; the best of all times counts, since whatever disturbs makes it slower. */
  async probe(threads: readonly number[]): Promise<void> {
    for (const count of threads) {
      const turn = Atomics.load(this.#gate, 0);
      const results = this.#workers.slice(0, count).map(async (worker): Promise<ProbeResult> => {
        const answer = once(worker, 'message');
        worker.postMessage({ milliseconds: MILLISECONDS, turn } satisfies ProbeOrder);
        const [result] = await answer;
        return result;
      });
      await new Promise((resolve) => setTimeout(resolve, 20));
      Atomics.store(this.#gate, 0, turn + 1);
      Atomics.notify(this.#gate, 0);
      this.#keepBest(count, await Promise.all(results));
    }
  }

  get results(): Roofline[] {
    return [...this.#best.values()].toSorted((a, b) => a.threads - b.threads);
  }

  async close(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.terminate()));
  }

  #keepBest(threads: number, results: readonly ProbeResult[]): void {
    const sum = (key: keyof ProbeResult): number => results.reduce((total, result) => total + result[key], 0);
    const before = this.#best.get(threads);
    this.#best.set(threads, {
      ...{ threads, fused: this.#fused },
      bytesPerSecond: Math.max(before?.bytesPerSecond ?? 0, sum('bytesPerSecond')),
      flopsPerSecond: Math.max(before?.flopsPerSecond ?? 0, sum('flopsPerSecond')),
    });
  }
}
