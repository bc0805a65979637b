import type { Backend, Graph, LanguageModel, Node, WeightSource } from '@receptance/core';
import { cost, decompose, definitionOf, elementCount, greedyGraph, logitsGraph, plan } from '@receptance/core';

/** What one block of a model computes. */
export interface BlockSummary {
  /** `blocks.3`, or `model` for what is around the blocks. */
  readonly scope: string;
  /** In order, without the leaves; elementwise ops by their function. */
  readonly ops: readonly string[];
  readonly parameters: number;
  /** Floating-point operations for one token. */
  readonly flops: number;
}

/** A graph by its blocks, in order. */
export function summaryOf(graph: Graph): BlockSummary[] {
  const primitives = decompose(graph, ({ op }) => definitionOf(op).kind !== 'composite');
  const lowered = blocksOf(primitives);
  const halves = decompose(graph, ({ op }) => !/^block\d$/.test(op));
  return blocksOf(halves).map(({ scope, nodes }, i) => ({
    scope,
    ops: nodes.filter(isWork).map(({ op, attrs }) => (typeof attrs['fn'] === 'string' ? attrs['fn'] : op)),
    parameters: nodes.filter(({ op }) => op === 'parameter').reduce((sum, { outputs }) => sum + sizeOf(outputs), 0),
    flops: (lowered[i]?.nodes ?? [])
      .filter(isWork)
      .reduce((sum, node) => sum + cost(node, { N: 1, S: 1, R: 1, Z: 1 }).flops, 0),
  }));
}

interface Block {
  readonly scope: string;
  readonly nodes: Node[];
}

function blocksOf(graph: Graph): Block[] {
  const blocks: Block[] = [];
  for (const node of graph.nodes) {
    const scope = /^blocks\.\d+/.exec(node.scope)?.[0] ?? 'model';
    if (blocks.at(-1)?.scope !== scope) blocks.push({ scope, nodes: [] });
    blocks.at(-1)?.nodes.push(node);
  }
  return blocks;
}

/** States are read and written where they lie once the graph is planned. */
function isWork({ op }: Node): boolean {
  return definitionOf(op).kind !== 'leaf' && op !== 'stateRead' && op !== 'stateWrite';
}

function sizeOf(outputs: Node['outputs']): number {
  return Object.values(outputs).reduce((sum, { shape }) => sum + elementCount(shape), 0);
}

export interface Running {
  readonly backend: string;
  readonly adapter: string;
  /** Bytes of activations. */
  readonly bytes: number;
  /** Of a GPU: for one token that is decoded greedily, and of these in the deepest of the blocks. */
  readonly dispatches?: { readonly token: number; readonly layer: number };
}

/** What a backend needs while it reads `chunk` tokens at a time, and decodes one. Reads no weights. */
export async function runningOf(
  model: LanguageModel,
  tensors: WeightSource['tensors'],
  backend: Backend,
  chunk: number,
): Promise<Running> {
  const device = await backend.open();
  try {
    const supports = (node: Node): true | string => device.supports(node);
    const limits = { N: chunk, S: 1, R: 1, Z: 1 };
    const { memory } = plan(logitsGraph(model), { supports, backend: backend.name }, limits);
    const { backend: name, adapter } = device.info;
    const running: Running = { backend: name, adapter, bytes: memory.bufferBytes };
    if (name !== 'webgpu') return running;
    const { dispatchesOf } = await import('@receptance/backend-webgpu');
    const all = dispatchesOf(device, { tensors }, greedyGraph(model), { N: 1, S: 1, R: 1, Z: 1 });
    const last = `blocks.${model.layers - 1}`;
    const layer = all.filter(({ scope }) => scope === last || scope.startsWith(`${last}.`)).length;
    return { ...running, dispatches: { token: all.length, layer } };
  } finally {
    await device.close();
  }
}
