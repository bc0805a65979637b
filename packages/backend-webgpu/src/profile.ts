import { type Cost, cost, elementCount, type Sizes } from '@receptance/core';
import type { Dispatch, Stage } from './executable.ts';
import { type Binding, type Program, WORKGROUP } from './kernel.ts';
import { largestBinding, Memory, type Room } from './memory.ts';
import type { Pipelines } from './pipelines.ts';
import { shader } from './shaders.ts';
import { Timestamps } from './timestamps.ts';

/** A dispatch as it ran. */
export interface ProfiledDispatch extends Cost {
  /** `blocks.3`, or empty around the blocks. */
  readonly scope: string;
  readonly op: string;
  /** File of the shader. */
  readonly shader: string;
  readonly workgroups: number;
  /** Median of the runs. */
  readonly milliseconds: number;
}

/** What the GPU reached in the same session, in shaders of this package. */
export interface GpuRoofline {
  readonly bytesPerSecond: number;
  readonly flopsPerSecond: number;
}

export interface GpuProfile {
  readonly adapter: string;
  /** In the order in which they run. */
  readonly dispatches: readonly ProfiledDispatch[];
  readonly roofline: GpuRoofline;
}

/** What its dispatches cost: those of weights say it, an op of one dispatch has the cost of its op, else what is bound is moved once. */
export function costsOf(dispatches: readonly Dispatch[], sizes: Sizes): Cost[] {
  const counts = new Map<Stage['node'], number>();
  for (const { stage } of dispatches) counts.set(stage.node, (counts.get(stage.node) ?? 0) + 1);
  return dispatches.map(({ stage: { node, program } }) => {
    if (program.cost !== undefined) return program.cost(sizes);
    if (counts.get(node) === 1) return cost(node, sizes);
    return { flops: 0, bytes: program.bindings.reduce((sum, binding) => sum + bytesOf(binding, sizes), 0) };
  });
}

function bytesOf({ operand, access }: Binding, sizes: Sizes): number {
  if (operand instanceof Memory) return 0;
  const elements = 'scratch' in operand ? operand.elements(sizes) : elementCount(operand.shape, sizes);
  // A state is read before it is written.
  return elements * 4 * (access === 'write' && !('scratch' in operand) ? 2 : 1);
}

/** More than the caches of a GPU hold; a software GPU is given the first of it. */
const READ_BYTES = { first: 16 << 20, most: 256 << 20 };
const GROUPS = 4096;
const ROUNDS = { first: 8, most: 8192 };
/** A run that takes less is made longer, since timestamps are coarse. */
const LEAST_MILLISECONDS = 4;
const RUNS = 4;
/** Operations of a round of one invocation: 8 chains of 4 numbers, one multiplication and one addition each. */
const FLOPS = 8 * 4 * 2;

/** The most that the GPU reaches in reading, and in multiplying and adding: the best of a few runs. */
export async function rooflineOf(room: Room, pipelines: Pipelines): Promise<GpuRoofline> {
  const { gpu } = room;
  const most = Math.floor(Math.min(READ_BYTES.most, largestBinding(gpu)) / 4096) * 4096;
  const [x, y] = [Memory.forStorage(room, 'what the roofline reads', most / 4), Memory.forStorage(room, 'y', 1)];
  const params = Memory.forParams(gpu, 'params of the roofline', 256);
  const program = (READS: number): Program => ({
    shader: shader('roofline'),
    constants: { READS },
    bindings: [
      { operand: x, access: 'read' },
      { operand: y, access: 'write' },
    ],
    launch: () => ({ workgroups: GROUPS, params: [] }),
  });
  const timestamps = new Timestamps(gpu, 1);
  try {
    const made = await pipelines.compile([program(1), program(0)], {});
    const timed = async (which: number, bytes: number, rounds: number): Promise<number> => {
      const pipeline = made[which];
      if (pipeline === undefined) throw new Error('two were compiled');
      const entries = [params, x, y].map(({ gpu: buffer }, binding) => ({ binding, resource: { buffer } }));
      const group = gpu.createBindGroup({ layout: pipeline.layout, entries });
      gpu.queue.writeBuffer(params.gpu, 0, new Uint32Array([bytes / 16, rounds]));
      const encoder = gpu.createCommandEncoder();
      timestamps.encode(encoder, [{ stage: { pipeline }, group, x: GROUPS, y: 1 }]);
      gpu.queue.submit([encoder.finish()]);
      const [milliseconds = 0] = await timestamps.read();
      return milliseconds;
    };
    const fastest = async (first: number, limit: number, time: (size: number) => Promise<number>): Promise<number> => {
      let [size, best] = [Math.min(first, limit), 0];
      for (let run = 0; run < RUNS; run++) {
        const milliseconds = await time(size);
        if (run > 0 && milliseconds > 0) best = Math.max(best, size / milliseconds);
        if (milliseconds < LEAST_MILLISECONDS / 4) size = limit;
        else if (milliseconds < LEAST_MILLISECONDS) size = Math.min(limit, 4 * size);
      }
      return best * 1000;
    };
    const bytesPerSecond = await fastest(READ_BYTES.first, most, (bytes) => timed(0, bytes, 0));
    const roundsPerSecond = await fastest(ROUNDS.first, ROUNDS.most, (rounds) => timed(1, 0, rounds));
    return { bytesPerSecond, flopsPerSecond: roundsPerSecond * GROUPS * WORKGROUP * FLOPS };
  } finally {
    timestamps.destroy();
    for (const memory of [x, y, params]) memory.destroy();
  }
}
