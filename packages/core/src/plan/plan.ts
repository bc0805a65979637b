import type { Part } from '../autodiff/parts.ts';
import type { Graph, Node, Sizes } from '../ir/types.ts';
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

/** Bytes of activations at the sizes compiled for; what weights and pools take is `Parameters.bytes`. */
export interface MemoryReport {
  /** What the shared buffers take, and what they would take unshared. */
  readonly bufferBytes: number;
  readonly unsharedBytes: number;
  readonly buffers: number;
  readonly steps: number;
  /**
   * At the step that has most values: those of the forward part (in training, what is kept for the backward part), those made
   * again for the backward part, and those of the backward part.
   */
  readonly fullest: Readonly<Record<Part, number>>;
}

/** What planning has to know of a device. */
export interface PlannedFor {
  readonly supports: Supports;
  readonly backend: string;
  /** See `assignStorage`. */
  readonly updates?: 'inPlace' | 'copied' | undefined;
}

/** Plans a graph for a device. `limits` gives the largest size of every symbol. */
export function plan(graph: Graph, device: PlannedFor, limits: Sizes): Plan {
  const planned = fuseState(lower(graph, device.supports, device.backend), device.supports);
  const storage = assignStorage(planned, limits, device.updates);
  const steps = planned.nodes.filter(isStep);
  return { ...storage, graph: planned, steps, memory: report(steps.length, storage) };
}

function report(steps: number, storage: StoragePlan): MemoryReport {
  return {
    bufferBytes: storage.buffers.reduce((sum, { bytes }) => sum + bytes, 0),
    unsharedBytes: storage.unsharedBytes,
    buffers: storage.buffers.length,
    steps,
    fullest: storage.fullest,
  };
}
