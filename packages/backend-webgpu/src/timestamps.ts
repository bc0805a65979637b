import { ReceptanceError } from '@receptance/core';
import { MAP_READ, USAGE } from './memory.ts';
import type { Pipeline } from './pipelines.ts';

/** Two for each pass; a query set has 4096 at most. */
const MOST_PASSES = 2048;
const QUERY_RESOLVE = 0x200;

/** What is timed. */
interface Timed {
  readonly stage: { readonly pipeline: Pipeline };
  readonly group: GPUBindGroup;
  readonly x: number;
  readonly y: number;
}

/** Dispatches of one compute pass each, and the times at which each began and ended. */
export class Timestamps {
  readonly #queries: GPUQuerySet;
  readonly #results: GPUBuffer;
  readonly #staging: GPUBuffer;
  readonly #passes: number;

  /** @throws ReceptanceError `NO_TIMESTAMPS` */
  constructor(device: GPUDevice, passes: number) {
    if (!device.features.has('timestamp-query')) {
      throw new ReceptanceError(
        'NO_TIMESTAMPS',
        'the GPU device has no timestamps, so its dispatches cannot be timed',
        {
          hint: 'of a device of your own ask for the feature timestamp-query; some browsers and drivers do not have it',
        },
      );
    }
    if (passes > MOST_PASSES) {
      throw new ReceptanceError(
        'OUT_OF_RANGE',
        `${passes} dispatches are more than the ${MOST_PASSES} that can be timed`,
        {
          hint: 'profile a model of fewer layers',
        },
      );
    }
    const size = Math.max(1, passes) * 16;
    this.#passes = passes;
    this.#queries = device.createQuerySet({ type: 'timestamp', count: Math.max(2, passes * 2) });
    this.#results = device.createBuffer({ size, usage: QUERY_RESOLVE | USAGE.copySource });
    this.#staging = device.createBuffer({ size, usage: USAGE.mapRead | USAGE.copyTarget });
  }

  encode(encoder: GPUCommandEncoder, dispatches: readonly Timed[]): void {
    for (const [i, dispatch] of dispatches.entries()) this.#pass(encoder, i, [dispatch]);
    this.#resolve(encoder);
  }

  /** All of them in the first pass. */
  encodeTogether(encoder: GPUCommandEncoder, dispatches: readonly Timed[]): void {
    this.#pass(encoder, 0, dispatches);
    this.#resolve(encoder);
  }

  #pass(encoder: GPUCommandEncoder, i: number, dispatches: readonly Timed[]): void {
    const times = { beginningOfPassWriteIndex: 2 * i, endOfPassWriteIndex: 2 * i + 1 };
    const pass = encoder.beginComputePass({ timestampWrites: { querySet: this.#queries, ...times } });
    for (const { stage, group, x, y } of dispatches) {
      pass.setPipeline(stage.pipeline.gpu);
      pass.setBindGroup(0, group);
      pass.dispatchWorkgroups(x, y);
    }
    pass.end();
  }

  #resolve(encoder: GPUCommandEncoder): void {
    encoder.resolveQuerySet(this.#queries, 0, this.#passes * 2, this.#results, 0);
    encoder.copyBufferToBuffer(this.#results, 0, this.#staging, 0, this.#passes * 16);
  }

  /** Milliseconds of each pass, once what was encoded has been submitted. */
  async read(): Promise<number[]> {
    await this.#staging.mapAsync(MAP_READ);
    const nanoseconds = new BigUint64Array(this.#staging.getMappedRange().slice(0));
    this.#staging.unmap();
    const at = (i: number): bigint => nanoseconds[i] ?? 0n;
    return Array.from({ length: this.#passes }, (_, i) => Math.max(0, Number(at(2 * i + 1) - at(2 * i)) / 1e6));
  }

  destroy(): void {
    this.#queries.destroy();
    for (const buffer of [this.#results, this.#staging]) buffer.destroy();
  }
}
