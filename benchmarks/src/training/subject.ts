import {
  type Backend,
  cost,
  decompose,
  detectModel,
  type Graph,
  leaves,
  type Node,
  type Sizes,
  type WeightSource,
} from '@receptance/core';
import {
  type Architecture,
  createTrainer,
  groupOf,
  initialWeights,
  type ModelConfig,
  type Optimiser,
  objectiveGraph,
  stepGraph,
  type Trainer,
  tokenArray,
  withVariables,
} from '@receptance/train';
import type { ModelSize } from '../models/registry.ts';
import { graphTimer } from '../ops/graph-timer.ts';
import { opSamples } from '../ops/op-graph.ts';
import type { OpTime } from '../report/report.ts';
import { type InstructionTime, timingInstructions } from './instruction-times.ts';

/** What is trained, and on how much at a time. */
export interface TrainingSize extends ModelSize {
  /** Texts of a batch, and tokens of each. */
  readonly batch: number;
  readonly tokens: number;
}

export function configOf({ version, layers, width, headSize, ffn, vocabulary, ranks }: TrainingSize): ModelConfig {
  const architecture: Architecture = `rwkv${version}`;
  const { w, a, v, g } = ranks;
  return {
    ...{ architecture, layers, width, headSize, ffn, vocabularySize: vocabulary },
    ranks: { decay: w, rate: a, value: v, gate: g },
  };
}

/** A text that every program can make: token t of text s. */
function textOf({ batch, tokens, vocabulary }: TrainingSize): Int32Array {
  const length = (batch + 1) * (tokens + 1);
  return Int32Array.from({ length }, (_, i) => (7919 * i + Math.floor(i / 8)) % vocabulary);
}

/** A trainer as an app makes one: clipping, L2Wrap and AdamW are part of its step. */
export function openTrainer(
  backend: Backend,
  size: TrainingSize,
  steps: number,
  optimiser: Optimiser = 'adamw',
): Promise<Trainer> {
  const { batch: sequences, tokens: length } = size;
  const data = tokenArray(textOf(size));
  return createTrainer({ backend, model: configOf(size), data, steps, sequences, length, optimiser });
}

/** The program of a step by instruction: WASM, one thread. */
export function trainingProfile(
  backend: Backend,
  size: TrainingSize,
  optimiser: Optimiser,
  steps: number,
): Promise<InstructionTime[]> {
  return timingInstructions(async (times) => {
    const trainer = await openTrainer(backend, size, steps + 1, optimiser);
    try {
      await trainer.next();
      times.clear();
      for (let step = 0; step < steps; step++) await trainer.next();
      return times.all().map((time) => ({ ...time, runs: time.runs / steps }));
    } finally {
      await trainer.close();
    }
  });
}

/** A step as a graph, and what it is run on. */
function stepOf(size: TrainingSize): { readonly graph: Graph; readonly sizes: Sizes; readonly source: WeightSource } {
  const source = initialWeights(configOf(size), 1);
  const objective = objectiveGraph(detectModel(source.tensors), { l2Wrap: 1e-4 });
  const shapes = leaves(objective, 'parameter');
  const groups = new Map([...shapes].map(([name, { shape }]) => [name, groupOf(name, shape.map(Number))]));
  const adam = { beta1: 0.9, beta2: 0.99, epsilon: 1e-18 };
  const variables = withVariables(objective, new Set(shapes.keys()));
  const graph = stepGraph(variables, groups, { adam, accumulates: false });
  return { graph, source, sizes: { N: size.batch * size.tokens, S: size.batch } };
}

/** What each kind of op takes of a step, measured by itself on nodes that stand for those of their shapes. */
export async function trainingOps(backend: Backend, size: TrainingSize, runs: number): Promise<OpTime[]> {
  const device = await backend.open();
  try {
    const { graph, sizes, source } = stepOf(size);
    const whole = await device.loadParameters(source, [graph]);
    const executable = await device.compile(graph, whole, sizes);
    const lowered = executable.graph;
    executable.free();
    whole.free();
    const found = new Map<string, OpTime>();
    for (const { label, nodes, graph: own, share } of opSamples(lowered)) {
      const parameters = await device.loadParameters(source, [own]);
      const timer = await graphTimer(device, parameters, own, sizes);
      await timer.run(1);
      // The best of several: whatever disturbs makes it slower.
      let best = Number.POSITIVE_INFINITY;
      for (let run = 0; run < runs; run++) best = Math.min(best, await timer.run(1));
      timer.free();
      parameters.free();
      found.set(label, added(found.get(label), label, nodes, sizes, best, share));
    }
    return [...found.values()].toSorted((a, b) => b.milliseconds - a.milliseconds);
  } finally {
    await device.close();
  }
}

function added(
  known: OpTime | undefined,
  op: string,
  nodes: readonly Node[],
  sizes: Sizes,
  milliseconds: number,
  share: number,
): OpTime {
  const costs = nodes.map((node) => cost(node, sizes));
  const sum = (key: 'flops' | 'bytes'): number => costs.reduce((total, each) => total + each[key], 0);
  return {
    op,
    nodes: (known?.nodes ?? 0) + nodes.length * share,
    milliseconds: (known?.milliseconds ?? 0) + milliseconds * share,
    flops: (known?.flops ?? 0) + sum('flops') * share,
    bytes: (known?.bytes ?? 0) + sum('bytes') * share,
  };
}

/** Multiplications and additions in matrices and memories that a step makes. */
export function flopsOfStep(size: TrainingSize): number {
  const { graph, sizes } = stepOf(size);
  const { nodes } = decompose(graph, () => false);
  const heavy = nodes.filter(({ op }) => op === 'linear' || op === 'matmul' || op.startsWith('wkv'));
  return heavy.reduce((sum, node) => sum + cost(node, sizes).flops, 0);
}
