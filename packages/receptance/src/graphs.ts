import type { Device, Executable, Graph, LanguageModel, Parameters, ProgressListener, Sizes } from '@receptance/core';
import { COUNTS_POOL, greedyGraph, logitsGraph, resetGraph, sampleGraph } from '@receptance/core';

/** The graphs that serve one model, made ready. All of them share the parameters and the state pools. */
export interface Executables {
  readonly logits: Executable;
  readonly greedy: Executable;
  readonly sample: Executable;
  readonly reset: Executable;
}

/** One tensor of what a sequence is between two tokens: a state, or the counts behind the penalties. */
export interface PoolEntry {
  readonly name: string;
  readonly shape: readonly number[];
  readonly elements: number;
}

export function graphsOf(model: LanguageModel): Readonly<Record<keyof Executables, Graph>> {
  return {
    logits: logitsGraph(model),
    greedy: greedyGraph(model),
    sample: sampleGraph(model),
    reset: resetGraph(model),
  };
}

/** The variables of the graphs, each `[Z, …shape]`. */
export function poolsOf(model: LanguageModel): PoolEntry[] {
  const entries = [...model.state, { name: COUNTS_POOL, shape: [model.vocabularySize] }];
  return entries.map(({ name, shape }) => ({
    name,
    shape,
    elements: shape.reduce((product, size) => product * size, 1),
  }));
}

/** @param limits of the graph of logits; the others run one token of one sequence */
export async function compileAll(
  device: Device,
  graphs: Readonly<Record<keyof Executables, Graph>>,
  parameters: Parameters,
  limits: Sizes,
  onProgress: ProgressListener | undefined,
): Promise<Executables> {
  let done = 0;
  const compile = async (name: keyof Executables, sizes: Sizes): Promise<Executable> => {
    onProgress?.({ what: 'compiling', done: done++, total: Object.keys(graphs).length });
    return device.compile(graphs[name], parameters, sizes);
  };
  const single = { ...limits, N: 1, R: 1, S: 1 };
  const executables = {
    logits: await compile('logits', limits),
    greedy: await compile('greedy', single),
    sample: await compile('sample', single),
    reset: await compile('reset', single),
  };
  onProgress?.({ what: 'compiling', done, total: done });
  return executables;
}
