import { elementCount, type Loop, leaves, type Sizes, type Value } from '@receptance/core';
import type { Frame, WebGpuExecutable } from './executable.ts';
import type { Memory } from './memory.ts';

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
  executable.prepare(sizes);
  const moves = loopMoves(executable, sizes, bound, loop);
  const dispatches = dispatchesOf(executable, moves.frame, gpu.limits.maxComputeWorkgroupsPerDimension);
  const encoder = gpu.createCommandEncoder({ label: executable.graph.name });
  copyAll(encoder, moves.before);
  for (let step = 0; step < loop.steps; step++) {
    copyAll(encoder, moves.feed(step));
    encodePass(encoder, dispatches);
    copyAll(encoder, finalCopies(executable, sizes, moves.frame));
    copyAll(encoder, moves.collect(step));
    if (step + 1 < loop.steps) copyAll(encoder, moves.carry);
  }
  return encoder.finish();
}

interface Dispatch {
  readonly pipeline: GPUComputePipeline;
  readonly group: GPUBindGroup;
  readonly x: number;
  readonly y: number;
}

/** What every step of the run dispatches: the stages that have something to do at its sizes. */
function dispatchesOf(executable: WebGpuExecutable, frame: Frame, most: number): Dispatch[] {
  return executable.stages.flatMap((stage, i): Dispatch[] => {
    const workgroups = executable.launches[i]?.workgroups ?? 0;
    if (workgroups === 0) return [];
    const x = Math.min(workgroups, most);
    const group = executable.group(i, stage, frame);
    return [{ pipeline: stage.pipeline.gpu, group, x, y: Math.ceil(workgroups / x) }];
  });
}

function encodePass(encoder: GPUCommandEncoder, dispatches: readonly Dispatch[]): void {
  const pass = encoder.beginComputePass();
  let current: GPUComputePipeline | undefined;
  for (const { pipeline, group, x, y } of dispatches) {
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
    return [{ from: source, fromOffset: 0, to: target, toOffset: 0, elements: elementCount(from.shape, sizes) }];
  });
}

interface LoopMoves {
  readonly frame: Frame;
  readonly before: readonly Move[];
  feed(step: number): Move[];
  collect(step: number): Move[];
  readonly carry: readonly Move[];
}

/** What is copied between the steps of a loop, and the buffers that the graph sees meanwhile. */
function loopMoves(executable: WebGpuExecutable, sizes: Sizes, bound: Bound, loop: Loop): LoopMoves {
  if (loop.steps === 1) return { frame: bound, before: [], feed: () => [], collect: () => [], carry: [] };
  const inputs = new Map(bound.inputs);
  const outputs = new Map(bound.outputs);
  const declared = leaves(executable.graph, 'input');
  const stage = (
    kind: 'input' | 'output',
    name: string,
  ): { bound: Memory; own: Memory; elements: number } | undefined => {
    const [table, values] = kind === 'input' ? [inputs, bound.inputs] : [outputs, bound.outputs];
    const value: Value | undefined = kind === 'input' ? declared.get(name) : executable.graph.outputs[name];
    const given = values.get(name);
    if (value === undefined || given === undefined) return undefined;
    const own = executable.staging(kind, name, value);
    table.set(name, own);
    return { bound: given, own, elements: elementCount(value.shape, sizes) };
  };
  const present = <T>(list: (T | undefined)[]): T[] => list.filter((item) => item !== undefined);
  const fed = present(loop.feed.map((name) => stage('input', name)));
  const collected = present(loop.collect.map((name) => stage('output', name)));
  const carried = present(
    Object.entries(loop.carry).map(([to, from]) => {
      const input = stage('input', to);
      const output = outputs.get(from);
      return input && output && { ...input, output };
    }),
  );
  return {
    frame: { inputs, outputs },
    before: carried.map(({ bound: from, own: to, elements }) => ({ from, fromOffset: 0, to, toOffset: 0, elements })),
    feed: (step) =>
      fed.map(({ bound: from, own: to, elements }) => ({
        from,
        fromOffset: step * elements,
        to,
        toOffset: 0,
        elements,
      })),
    collect: (step) =>
      collected.map(({ bound: to, own: from, elements }) => {
        return { from, fromOffset: 0, to, toOffset: step * elements, elements };
      }),
    carry: carried.map(({ output: from, own: to, elements }) => ({ from, fromOffset: 0, to, toOffset: 0, elements })),
  };
}

function copyAll(encoder: GPUCommandEncoder, moves: readonly Move[]): void {
  for (const { from, fromOffset, to, toOffset, elements } of moves) {
    if (elements > 0) encoder.copyBufferToBuffer(from.gpu, fromOffset * 4, to.gpu, toOffset * 4, elements * 4);
  }
}
