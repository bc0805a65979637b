import { type Backend, cost, detectModel, greedyGraph, type WeightSource } from '@receptance/core';

/** What a decoded token costs by the plan: the same on every machine, however busy it is. */
export interface TokenCost {
  /** Kernels that run: dispatches, on a GPU. */
  readonly steps: number;
  /** The least that these kernels must move, each by itself: what fusing saves. */
  readonly bytes: number;
  /** Of activations. */
  readonly bufferBytes: number;
}

export async function tokenCost(backend: Backend, source: WeightSource): Promise<TokenCost> {
  const device = await backend.open();
  try {
    const graph = greedyGraph(detectModel(source.tensors));
    const parameters = await device.loadParameters(source, [graph], { limits: { Z: 1 } });
    const executable = await device.compile(graph, parameters, { N: 1, S: 1, R: 1 });
    const costs = executable.graph.nodes.map((node) => cost(node, { N: 1, S: 1, R: 1, Z: 1 }).bytes);
    const { steps, bufferBytes } = executable.memory;
    return { steps, bytes: costs.reduce((sum, bytes) => sum + bytes, 0), bufferBytes };
  } finally {
    await device.close();
  }
}
