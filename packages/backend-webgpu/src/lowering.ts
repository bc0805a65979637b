import {
  type DeviceInfo,
  type Graph,
  type KernelTable,
  type Node,
  type Prepared,
  prepare,
  type Sizes,
} from '@receptance/core';
import { contextOf } from './context.ts';
import { fold } from './folding.ts';
import type { Program, WebGpuKernel } from './kernel.ts';
import type { WebGpuParameters } from './parameters.ts';
import type { Tuning } from './tuning.ts';

/** A program, and the node that it is part of. */
export interface Lowered {
  readonly node: Node;
  readonly program: Program;
}

/** What graphs are lowered for. */
export interface Lowering {
  readonly kernels: KernelTable<WebGpuKernel>;
  readonly info: DeviceInfo;
  readonly tuning: Tuning;
}

/** A graph as the programs that a step of it becomes. @throws as `prepare` of core */
export function lowered(
  graph: Graph,
  parameters: WebGpuParameters,
  given: Sizes,
  { kernels, info, tuning }: Lowering,
): { readonly planned: Prepared<WebGpuKernel>; readonly programs: readonly Lowered[] } {
  const planned = prepare(fold(graph).graph, kernels, info, parameters.loaded, given);
  const context = contextOf(planned, parameters, tuning);
  const programs = planned.plan.steps.flatMap((node, i) => {
    const made = planned.kernels[i]?.lower(node.inputs, node.outputs, node.attrs, context) ?? [];
    return made.map((program) => ({ node, program }));
  });
  return { planned, programs };
}
