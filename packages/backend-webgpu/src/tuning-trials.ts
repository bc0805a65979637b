import type { OpenOptions } from '@receptance/core';
import { type LowerContext, PARAMS_BYTES, type Program } from './kernel.ts';
import { project } from './kernels/_project.ts';
import { Memory, type Room } from './memory.ts';
import { type Pipeline, Pipelines } from './pipelines.ts';
import { preludeOf } from './shaders.ts';
import { Timestamps } from './timestamps.ts';
import { lanesUpTo, TILES, type Tuning, WORKGROUPS } from './tuning.ts';

/** What is multiplied in a trial: f16 matrices, all of them after each other, as decoding does. */
export interface Problem {
  readonly matrices: number;
  /** Rows and columns of each. */
  readonly width: number;
  /** Rows of x where there are many. */
  readonly tokens: number;
  /** Times at most that all of it is done in a pass. */
  readonly sweeps: number;
}

/** 64 MiB of weights, more than most caches hold, and a prompt. */
const PROBLEM: Problem = { matrices: 8, width: 2048, tokens: 128, sweeps: 256 };
/** A pass that takes less is made longer: browsers round timestamps to 0.1 ms. */
const LEAST_MILLISECONDS = 2;
const RUNS = 3;
/** What is quicker by less than this may be chance: then things stay as they are. */
const CHANCE = 0.97;

/**
 * The quickest shapes for products with weights, each tried on this GPU for some milliseconds; nothing where it has no room
 * for that.
 * @param initial what is tried first
 */
export async function quickest(
  gpu: GPUDevice,
  bySubgroups: boolean,
  initial: Tuning,
  { signal, onProgress }: OpenOptions = {},
  problem: Problem = PROBLEM,
): Promise<Tuning | undefined> {
  gpu.pushErrorScope('out-of-memory');
  const trials = new Trials({ gpu }, bySubgroups, problem);
  const lanes = lanesUpTo(initial.lanes).slice(0, 3);
  const shapes = lanes.flatMap((each) => WORKGROUPS.map((workgroup) => ({ ...initial, lanes: each, workgroup })));
  const tiles = TILES.map((tile) => ({ ...initial, tile }));
  let done = 0;
  const best = async (candidates: readonly Tuning[], tokens: number, matrices: number): Promise<Tuning> => {
    let [chosen, least] = [initial, Number.POSITIVE_INFINITY];
    for (const candidate of candidates) {
      signal?.throwIfAborted();
      onProgress?.({ what: 'trying shapes of work on the GPU', done: done++, total: shapes.length + tiles.length });
      const milliseconds = await trials.time(candidate, tokens, matrices);
      if (milliseconds >= least) continue;
      // The first is how things are.
      [chosen, least] = [candidate, candidate === candidates[0] ? milliseconds * CHANCE : milliseconds];
    }
    return chosen;
  };
  try {
    if ((await gpu.popErrorScope()) !== null) return undefined;
    const few = await best(shapes, 1, problem.matrices);
    const many = await best(tiles, problem.tokens, 1);
    return { ...few, tile: many.tile };
  } finally {
    trials.free();
  }
}

class Trials {
  readonly #gpu: GPUDevice;
  readonly #problem: Problem;
  readonly #pipelines: Pipelines;
  readonly #timestamps: Timestamps;
  readonly #weights: Memory;
  readonly #x: Memory;
  readonly #y: Memory;
  readonly #params: Memory;

  constructor(room: Room, bySubgroups: boolean, problem: Problem) {
    const { matrices, width, tokens } = problem;
    this.#gpu = room.gpu;
    this.#problem = problem;
    this.#pipelines = new Pipelines(room.gpu, preludeOf(bySubgroups ? 'subgroups' : 'memory'));
    this.#timestamps = new Timestamps(room.gpu, 1);
    this.#weights = Memory.forStorage(room, 'weights to try with', (matrices * width * width) / 2);
    this.#x = Memory.forStorage(room, 'rows to try with', tokens * width);
    this.#y = Memory.forStorage(room, 'what is tried', tokens * width);
    this.#params = Memory.forParams(room.gpu, 'params of what is tried', matrices * PARAMS_BYTES);
  }

  /** Milliseconds in which every matrix is multiplied once: the best of a few runs. */
  async time(tuning: Tuning, tokens: number, matrices: number): Promise<number> {
    const programs = Array.from({ length: matrices }, (_, i) => this.#program(tuning, tokens, i));
    const pipelines = await this.#pipelines.compile(programs, {});
    const dispatches = programs.map((program, i) => this.#dispatch(program, pipelines[i], i));
    let [best, sweeps] = [Number.POSITIVE_INFINITY, 1];
    for (let run = 0; run < RUNS; ) {
      const encoder = this.#gpu.createCommandEncoder();
      const repeated = Array.from({ length: sweeps }, () => dispatches);
      this.#timestamps.encodeTogether(encoder, repeated.flat());
      this.#gpu.queue.submit([encoder.finish()]);
      const [milliseconds = 0] = await this.#timestamps.read();
      if (milliseconds < LEAST_MILLISECONDS && sweeps < this.#problem.sweeps) {
        sweeps *= 4;
        continue;
      }
      best = Math.min(best, milliseconds / sweeps);
      run++;
    }
    return best;
  }

  #program(tuning: Tuning, tokens: number, matrix: number): Program {
    const { width } = this.#problem;
    // 8 halves are a chunk.
    const part = { operand: this.#weights, at: (matrix * width * width) / 8, firstRow: 0, rows: width };
    const weight = { format: 'f16', flipped: false, rows: width, columns: width, parts: [part] } as const;
    const context: LowerContext = { ...tuning, limits: {}, weight: () => weight };
    const programs = project({ jobs: [{ weight }], tokens: () => tokens, x: this.#x, y: this.#y }, context);
    const program = programs.find((each) => each.launch({}).workgroups > 0);
    if (program === undefined) throw new Error('one is for these tokens');
    return program;
  }

  #dispatch(program: Program, pipeline: Pipeline | undefined, index: number) {
    if (pipeline === undefined) throw new Error('every program was compiled');
    const { workgroups, params } = program.launch({});
    const offset = index * PARAMS_BYTES;
    this.#gpu.queue.writeBuffer(this.#params.gpu, offset, Uint32Array.from(params));
    const memories = program.bindings.map(({ operand }) => (operand instanceof Memory ? operand : this.#x));
    const entries = [
      { binding: 0, resource: { buffer: this.#params.gpu, offset, size: PARAMS_BYTES } },
      ...memories.map(({ gpu: buffer }, i) => ({ binding: i + 1, resource: { buffer } })),
    ];
    const group = this.#gpu.createBindGroup({ layout: pipeline.layout, entries });
    return { stage: { pipeline }, group, x: workgroups, y: 1 };
  }

  free(): void {
    this.#timestamps.destroy();
    for (const memory of [this.#weights, this.#x, this.#y, this.#params]) memory.destroy();
  }
}
