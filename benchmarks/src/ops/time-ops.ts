import {
  type Backend,
  type Cost,
  cost,
  type Device,
  detectModel,
  type Graph,
  greedyGraph,
  logitsGraph,
  type Node,
  type Parameters,
  type Sizes,
  type WeightSource,
} from '@receptance/core';
import type { OpComparison, OpTime, OpTimes } from '../report/report.ts';
import { median } from '../statistics.ts';
import { type GraphTimer, graphTimer } from './graph-timer.ts';
import { opGraph, opGraphs } from './op-graph.ts';

/** One text. */
const POOLS = { limits: { Z: 1 } };
/** A run is made of as many steps as take this long. */
const RUN_MS = 60;
const RUNS = 5;

/** A text of so many tokens as the model's graph: one token goes on by `argmax`, more end in the logits of the last. */
function modelGraph(source: WeightSource, tokens: number): { readonly graph: Graph; readonly sizes: Sizes } {
  const model = detectModel(source.tensors);
  const graph = tokens === 1 ? greedyGraph(model) : logitsGraph(model);
  return { graph, sizes: { N: tokens, S: 1, R: 1 } };
}

/** What each kind of node takes of a step, each measured by itself over all of its nodes in the model and their own weights. */
export async function timeOps(backend: Backend, source: WeightSource, tokens: number): Promise<OpTimes> {
  const device = await backend.open();
  try {
    const { graph, sizes } = modelGraph(source, tokens);
    const kinds = opGraphs(graph, (node) => device.supports(node));
    const parameters = await device.loadParameters(source, [graph, ...kinds.map((kind) => kind.graph)], POOLS);
    const whole = await timed(device, parameters, graph, sizes);
    const ops: OpTime[] = [];
    for (const { label, nodes, graph: own } of kinds) {
      const milliseconds = await timed(device, parameters, own, sizes);
      ops.push({ op: label, nodes: nodes.length, milliseconds, ...total(nodes, sizes) });
    }
    return { tokens, milliseconds: whole, ops: ops.toSorted((a, b) => b.milliseconds - a.milliseconds) };
  } finally {
    await device.close();
  }
}

/** One op of the model on two backends, in turns. */
export async function compareOp(
  backends: { readonly before: Backend; readonly after: Backend },
  source: WeightSource,
  op: string,
  tokens: number,
): Promise<OpComparison> {
  const { graph, sizes } = modelGraph(source, tokens);
  const { nodes, graph: own } = opGraph(graph, op);
  const devices = [await backends.before.open(), await backends.after.open()] as const;
  try {
    const ready = async (device: Device): Promise<GraphTimer> =>
      graphTimer(device, await device.loadParameters(source, [own], POOLS), own, sizes);
    const timers = [await ready(devices[0]), await ready(devices[1])] as const;
    const steps = [await stepsFor(timers[0]), await stepsFor(timers[1])] as const;
    const samples = { before: [] as number[], after: [] as number[] };
    for (let run = 0; run < 3 * RUNS; run++) {
      samples.before.push((await timers[0].run(steps[0])) / steps[0]);
      samples.after.push((await timers[1].run(steps[1])) / steps[1]);
    }
    return { op, tokens, nodes: nodes.length, ...samples, ...total(nodes, sizes) };
  } finally {
    for (const device of devices) await device.close();
  }
}

async function timed(device: Device, parameters: Parameters, graph: Graph, sizes: Sizes): Promise<number> {
  const timer = await graphTimer(device, parameters, graph, sizes);
  try {
    const steps = await stepsFor(timer);
    const samples: number[] = [];
    for (let run = 0; run < RUNS; run++) samples.push((await timer.run(steps)) / steps);
    return median(samples);
  } finally {
    timer.free();
  }
}

async function stepsFor(timer: GraphTimer): Promise<number> {
  await timer.run(1);
  return Math.max(1, Math.min(200, Math.round(RUN_MS / (await timer.run(1)))));
}

function total(nodes: readonly Node[], sizes: Sizes): Cost {
  const costs = nodes.map((node) => cost(node, { ...sizes, Z: 1 }));
  return {
    flops: costs.reduce((sum, { flops }) => sum + flops, 0),
    bytes: costs.reduce((sum, { bytes }) => sum + bytes, 0),
  };
}
