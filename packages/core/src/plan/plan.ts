import { elementCount } from '../ir/shape.ts';
import { type Graph, leaves, type Node, type Sizes } from '../ir/types.ts';
import { byteLength } from '../weights.ts';
import { fuseState } from './fuse-state.ts';
import { lower, type Supports } from './lower.ts';
import { assignStorage, isStep, type StoragePlan } from './storage.ts';

/** A graph ready to execute: what to run in which order, and where every value lives. */
export interface Plan extends StoragePlan {
  /** Lowered to nodes the device supports, state fused. */
  readonly graph: Graph;
  /** The nodes to execute, in order: no leaves, no views. */
  readonly steps: readonly Node[];
  readonly memory: MemoryReport;
}

/** Bytes at the sizes compiled for. */
export interface MemoryReport {
  readonly parameterBytes: number;
  readonly variableBytes: number;
  /** Activations: what the shared buffers take, and what they would take unshared. */
  readonly bufferBytes: number;
  readonly unsharedBytes: number;
  readonly buffers: number;
  readonly steps: number;
}

/** Plans a graph for a device. `limits` gives the largest size of every symbol. */
export function plan(graph: Graph, device: { supports: Supports; backend: string }, limits: Sizes): Plan {
  const planned = fuseState(lower(graph, device.supports, device.backend), device.supports);
  const storage = assignStorage(planned, limits);
  const steps = planned.nodes.filter(isStep);
  return { ...storage, graph: planned, steps, memory: report(planned, steps.length, storage, limits) };
}

function report(graph: Graph, steps: number, storage: StoragePlan, limits: Sizes): MemoryReport {
  const total = (kind: 'parameter' | 'variable'): number =>
    [...leaves(graph, kind).values()].reduce(
      (sum, { dtype, shape }) => sum + byteLength(dtype, elementCount(shape, limits)),
      0,
    );
  return {
    parameterBytes: total('parameter'),
    variableBytes: total('variable'),
    bufferBytes: storage.buffers.reduce((sum, { bytes }) => sum + bytes, 0),
    unsharedBytes: storage.unsharedBytes,
    buffers: storage.buffers.length,
    steps,
  };
}
