import { elementCount, type Loop, leaves, type Sizes, type Value } from '@receptance/core';
import type { Dispatch, Frame, WebGpuExecutable } from './executable.ts';
import type { Memory } from './memory.ts';
import type { Timestamps } from './timestamps.ts';

/** Copies `elements` four-byte elements; offsets count elements. */
interface Move {
  readonly from: Memory;
  readonly fromOffset: number;
  readonly to: Memory;
  readonly toOffset: number;
  readonly elements: number;
}

/** What a run is given, in GPU memory. */
export interface Bound {
  readonly inputs: ReadonlyMap<string, Memory>;
  readonly outputs: ReadonlyMap<string, Memory>;
}

/**
 * All steps of a run as one command buffer: a compute pass a step, and copies between passes. What a loop carries, feeds
 * or collects lives in the executable's own memory while it runs, so the graph always sees whole buffers and the inputs
 * bound are never written.
 */
export function encode(
  gpu: GPUDevice,
  executable: WebGpuExecutable,
  sizes: Sizes,
  bound: Bound,
  loop: Loop,
): GPUCommandBuffer {
  const moves = loopMoves(executable, sizes, bound, loop);
  const copies = finalCopies(executable, sizes, moves.frame);
  const dispatches = executable.dispatches(sizes, moves.frame);
  const encoder = gpu.createCommandEncoder({ label: executable.graph.name });
  copyAll(encoder, moves.before);
  for (let step = 0; step < loop.steps; step++) {
    copyAll(encoder, moves.feed(step));
    encodePass(encoder, dispatches);
    copyAll(encoder, copies);
    copyAll(encoder, moves.collect(step));
    if (step + 1 < loop.steps) copyAll(encoder, moves.carry);
  }
  return encoder.finish();
}

function encodePass(encoder: GPUCommandEncoder, dispatches: readonly Dispatch[]): void {
  const pass = encoder.beginComputePass();
  let current: GPUComputePipeline | undefined;
  for (const { stage, group, x, y } of dispatches) {
    const pipeline = stage.pipeline.gpu;
    if (pipeline !== current) pass.setPipeline(pipeline);
    current = pipeline;
    pass.setBindGroup(0, group);
    pass.dispatchWorkgroups(x, y);
  }
  pass.end();
}

function finalCopies(executable: WebGpuExecutable, sizes: Sizes, frame: Frame): Move[] {
  return executable.plan.copies.flatMap(({ from, to }): Move[] => {
    const place = executable.plan.storage.get(from.id);
    if (place === undefined) return [];
    const [source, target] = [executable.resolve(place, frame), executable.resolve(to, frame)];
    const elements = elementCount(from.shape, sizes);
    return [move(source.memory, target.memory, elements, (source.offset ?? 0) / 4, (target.offset ?? 0) / 4)];
  });
}

/** One step whose dispatches have a pass each, so that each is timed. */
export function encodeTimed(
  gpu: GPUDevice,
  executable: WebGpuExecutable,
  sizes: Sizes,
  frame: Frame,
  timestamps: Timestamps,
): GPUCommandBuffer {
  const encoder = gpu.createCommandEncoder({ label: executable.graph.name });
  timestamps.encode(encoder, executable.dispatches(sizes, frame));
  copyAll(encoder, finalCopies(executable, sizes, frame));
  return encoder.finish();
}

interface LoopMoves {
  readonly frame: Frame;
  readonly before: readonly Move[];
  feed(step: number): readonly Move[];
  collect(step: number): readonly Move[];
  readonly carry: readonly Move[];
}

/** An input or output of which the graph sees one step's worth in the executable's own memory. */
interface Staged {
  readonly bound: Memory;
  readonly own: Memory;
  readonly elements: number;
}

/** What is copied between the steps of a loop, and the buffers that the graph sees meanwhile. */
function loopMoves(executable: WebGpuExecutable, sizes: Sizes, bound: Bound, loop: Loop): LoopMoves {
  if (loop.steps === 1) return { frame: bound, before: [], feed: () => [], collect: () => [], carry: [] };
  const inputs = new Map(bound.inputs);
  const outputs = new Map(bound.outputs);
  const declared = leaves(executable.graph, 'input');
  const stage = (kind: 'input' | 'output', name: string, value: Value | undefined): Staged[] => {
    const table = kind === 'input' ? inputs : outputs;
    const given = table.get(name);
    if (value === undefined || given === undefined) return [];
    const own = executable.staging(kind, name, value);
    table.set(name, own);
    return [{ bound: given, own, elements: elementCount(value.shape, sizes) }];
  };
  const fed = loop.feed.flatMap((name) => stage('input', name, declared.get(name)));
  const collected = loop.collect.flatMap((name) => stage('output', name, executable.graph.outputs[name]));
  const carries = Object.entries(loop.carry).flatMap(([to, from]) =>
    stage('input', to, declared.get(to)).map((input) => ({ ...input, made: outputs.get(from) ?? input.own })),
  );
  return {
    frame: { inputs, outputs },
    before: carries.map((input) => move(input.bound, input.own, input.elements)),
    feed: (step) => fed.map((input) => move(input.bound, input.own, input.elements, step * input.elements)),
    collect: (step) =>
      collected.map((output) => move(output.own, output.bound, output.elements, 0, step * output.elements)),
    carry: carries.map((input) => move(input.made, input.own, input.elements)),
  };
}

function move(from: Memory, to: Memory, elements: number, fromOffset = 0, toOffset = 0): Move {
  return { from, fromOffset, to, toOffset, elements };
}

function copyAll(encoder: GPUCommandEncoder, moves: readonly Move[]): void {
  for (const { from, fromOffset, to, toOffset, elements } of moves) {
    if (elements > 0) encoder.copyBufferToBuffer(from.gpu, fromOffset * 4, to.gpu, toOffset * 4, elements * 4);
  }
}
