import {
  decompose,
  definitionOf,
  detectModel,
  elementCount,
  type Graph,
  type ModelOptions,
  type Node,
  ReceptanceError,
  readWidened,
  rewrite,
  type TensorInfo,
  type WeightSource,
} from '@receptance/core';
import { objectiveGraph } from '../graph/objective.ts';
import { randomStream } from '../random.ts';
import type { Group } from '../weights/groups.ts';
import { layered, lazySource, type Tensor, tensor, tensorSource } from '../weights/tensors.ts';
import type { Adaptation, ReadTrained } from './adaptation.ts';

/** Low-rank adapters beside frozen matrices (Hu et al., arXiv:2106.09685): `y = x Wᵀ + alpha / rank · (x Aᵀ) Bᵀ`. */
export interface LoraOptions {
  /** Rows of A. Default 16. */
  readonly rank?: number | undefined;
  /** Default twice the rank. */
  readonly alpha?: number | undefined;
  /** Which matrices are adapted. By default all projections of the time and channel mixes. */
  readonly targets?: ((name: string) => boolean) | undefined;
}

const PROJECTION = /^blocks\.\d+\.(att\.(receptance|key|value|gate|output)|ffn\.(receptance|key|value))\.weight$/;

function adapterNames(matrix: string): { readonly a: string; readonly b: string } {
  return { a: `${matrix}.lora_A`, b: `${matrix}.lora_B` };
}

/**
 * Adapters of the matrices that the model multiplies by, as they are stored: quantised ones too. They begin by changing
 * nothing, B being 0.
 * @throws ReceptanceError `BAD_OPTION`; `NOT_TRAINABLE` when no matrix is a target
 */
export function loraTraining(base: WeightSource, options: ModelOptions, lora: LoraOptions, seed: number): Adaptation {
  const { rank = 16, alpha = 2 * rank, targets = (name) => PROJECTION.test(name) } = lora;
  if (!Number.isSafeInteger(rank) || rank < 1 || !Number.isFinite(alpha)) {
    throw new ReceptanceError('BAD_OPTION', `adapters of rank ${rank} and alpha ${alpha}`, {
      hint: 'rank is a whole number ≥ 1, alpha a number',
    });
  }
  const model = detectModel(base.tensors, options);
  const { architecture, vocabularySize } = model;
  const scale = alpha / rank;
  const adapters = new Map<string, Tensor>();
  const groups = new Map<string, Group>();
  const matrices = new Map<string, TensorInfo>();
  for (const name of multiplied(objectiveGraph(model, { l2Wrap: 0 }))) {
    const info = base.tensors.get(name);
    if (info?.shape.length !== 2 || !targets(name)) continue;
    const [rows = 0, columns = 0] = info.shape;
    matrices.set(name, info);
    const { a, b } = adapterNames(name);
    const random = randomStream(seed, a);
    // As torch.nn.Linear begins: uniform within 1 / √columns.
    adapters.set(
      a,
      tensor([rank, columns], () => (2 * random.uniform() - 1) / Math.sqrt(columns)),
    );
    adapters.set(b, tensor([rows, rank]));
    for (const each of [a, b]) groups.set(each, { rate: 1, decays: true });
  }
  if (matrices.size === 0) {
    throw new ReceptanceError('NOT_TRAINABLE', 'no matrix of the model is a target of LoRA', {
      hint: 'targets are names of projections, such as blocks.0.att.key.weight',
    });
  }
  return {
    ...{ kind: `lora of rank ${rank}, alpha ${alpha}`, architecture, vocabularySize, groups },
    hyperparameters: { ...options },
    source: layered(tensorSource(adapters), base),
    objective: (each) => withAdapters(objectiveGraph(model, each), new Set(matrices.keys()), rank, scale),
    result: (read) => layered(merged(base, matrices, scale, rank, read), base),
  };
}

/** Composites opened down to what is differentiated as it is: there every product is a `linear`. */
function opened(graph: Graph): Graph {
  return decompose(graph, (node) => definitionOf(node.op).vjp !== undefined);
}

/** The name of the parameter that a node multiplies by, if it is one stored [out, in]. */
function weightOf({ op, attrs, inputs }: Node, parameters: ReadonlyMap<number, string>): string | undefined {
  const weight = inputs['w'];
  return op === 'linear' && attrs['transposed'] === false && weight ? parameters.get(weight.id) : undefined;
}

function parametersOf(graph: Graph): Map<number, string> {
  const names = new Map<number, string>();
  for (const { op, attrs, outputs } of graph.nodes) {
    if (op === 'parameter' && outputs['y']) names.set(outputs['y'].id, String(attrs['name']));
  }
  return names;
}

function multiplied(graph: Graph): Set<string> {
  const whole = opened(graph);
  const parameters = parametersOf(whole);
  return new Set(whole.nodes.map((node) => weightOf(node, parameters)).filter((name) => name !== undefined));
}

function withAdapters(graph: Graph, matrices: ReadonlySet<string>, rank: number, scale: number): Graph {
  const whole = opened(graph);
  const parameters = parametersOf(whole);
  return rewrite(whole, {
    replace(node, { x, w }, { b }) {
      const name = weightOf(node, parameters);
      if (name === undefined || x === undefined || w === undefined || !matrices.has(name)) return undefined;
      const [rows = 0, columns = 0] = w.shape;
      const adapters = adapterNames(name);
      const low = b.linear(x, b.variable(adapters.a, 'f32', [rank, columns]));
      const change = b.linear(low, b.variable(adapters.b, 'f32', [rows, rank]));
      return { y: b.binary('add', b.linear(x, w), b.binary('mul', scale, change)) };
    },
  });
}

/** `W + scale · B A`, in f32. */
function merged(
  base: WeightSource,
  matrices: ReadonlyMap<string, TensorInfo>,
  scale: number,
  rank: number,
  read: ReadTrained,
): WeightSource {
  const infos = new Map<string, TensorInfo>();
  for (const [name, { shape }] of matrices) infos.set(name, { dtype: 'f32', shape, bytes: 4 * elementCount(shape) });
  return lazySource(infos, async (name) => {
    const [rows = 0, columns = 0] = infos.get(name)?.shape ?? [];
    const names = adapterNames(name);
    const [a, b] = [await read(names.a), await read(names.b)];
    const sum = new Float64Array(rows * columns);
    await readWidened(base, name, sum);
    for (let row = 0; row < rows; row++) {
      for (let r = 0; r < rank; r++) {
        const factor = scale * (b[row * rank + r] ?? 0);
        for (let i = 0; i < columns; i++) {
          sum[row * columns + i] = (sum[row * columns + i] ?? 0) + factor * (a[r * columns + i] ?? 0);
        }
      }
    }
    return Float32Array.from(sum);
  });
}
