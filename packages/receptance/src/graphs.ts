import type { Device, Executable, Graph, LanguageModel, Parameters, ProgressListener, Sizes } from '@receptance/core';
import {
  COUNTS_POOL,
  drawGraph,
  greedyGraph,
  hiddenGraph,
  logitsGraph,
  resetGraph,
  sampleGraph,
} from '@receptance/core';

export type GraphName = 'logits' | 'greedy' | 'sample' | 'reset' | 'draw' | 'hidden';

const BUILDERS: Readonly<Record<GraphName, (model: LanguageModel) => Graph>> = {
  logits: logitsGraph,
  greedy: greedyGraph,
  sample: sampleGraph,
  reset: resetGraph,
  draw: drawGraph,
  hidden: hiddenGraph,
};
export const GRAPHS: readonly GraphName[] = Object.keys(BUILDERS) as GraphName[];

/** These use the parameters and the state pools in all the ways that any graph does. */
const COVERING: readonly GraphName[] = ['logits', 'reset', 'draw'];

/** What every text begins with. Those by which tokens are chosen are compiled while the first text is read. */
const AT_LOAD: readonly GraphName[] = ['logits', 'reset'];

/** One tensor of what a sequence is between two tokens: a state, or the counts behind the penalties. */
export interface PoolEntry {
  readonly name: string;
  readonly shape: readonly number[];
  readonly elements: number;
}

/** The graphs that serve one model, each made when it is wanted. All of them share the parameters and the state pools. */
export class Graphs {
  readonly #model: LanguageModel;
  readonly #made = new Map<GraphName, Graph>();

  private constructor(model: LanguageModel) {
    this.#model = model;
  }

  /** With those that loading needs made. */
  static async of(model: LanguageModel): Promise<Graphs> {
    const graphs = new Graphs(model);
    for (const name of [...AT_LOAD, ...COVERING]) graphs.get(name);
    return graphs;
  }

  get(name: GraphName): Graph {
    const graph = this.#made.get(name) ?? BUILDERS[name](this.#model);
    this.#made.set(name, graph);
    return graph;
  }

  /** Those by which a device sees what weights are used for. */
  get covering(): readonly Graph[] {
    return COVERING.map((name) => this.get(name));
  }
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

/** The largest runs of a model. */
export interface RunLimits {
  /** Tokens of a run that reads a text. */
  readonly chunk: number;
  /** Of these, those whose logits are wanted. */
  readonly rows: number;
  /** Sequences that run together. */
  readonly batch: number;
  /** Rows of the state pools. */
  readonly slots: number;
}

export interface ExecutablesParts {
  readonly device: Device;
  readonly graphs: Graphs;
  readonly parameters: Parameters;
  readonly limits: RunLimits;
}

/** The graphs made ready for a device. */
export class Executables {
  readonly #parts: ExecutablesParts;
  readonly #ready = new Map<GraphName, Executable>();
  readonly #making = new Map<GraphName, Promise<Executable>>();

  constructor(parts: ExecutablesParts) {
    this.#parts = parts;
  }

  /** Bytes of activations. */
  get bytes(): number {
    return [...this.#ready.values()].reduce((sum, { memory }) => sum + memory.bufferBytes, 0);
  }

  async compileAll(onProgress: ProgressListener | undefined): Promise<void> {
    const total = AT_LOAD.length;
    for (const [done, name] of AT_LOAD.entries()) {
      onProgress?.({ what: 'compiling', done, total });
      await this.get(name);
    }
    onProgress?.({ what: 'compiling', done: total, total });
  }

  async get(name: GraphName): Promise<Executable> {
    const known = this.#ready.get(name) ?? this.#making.get(name);
    if (known !== undefined) return known;
    const making = this.#make(name).finally(() => this.#making.delete(name));
    this.#making.set(name, making);
    return making;
  }

  async #make(name: GraphName): Promise<Executable> {
    const { device, graphs, parameters, limits } = this.#parts;
    const made = await device.compile(graphs.get(name), parameters, sizesOf(name, limits));
    this.#ready.set(name, made);
    return made;
  }

  free(): void {
    for (const executable of this.#ready.values()) executable.free();
    this.#ready.clear();
  }
}

function sizesOf(name: GraphName, { chunk, rows, batch, slots }: RunLimits): Sizes {
  const Z = slots;
  switch (name) {
    case 'logits':
      return { N: Math.max(chunk, batch), S: batch, R: Math.max(rows, batch), Z };
    case 'hidden':
      return { N: chunk, S: 1, R: chunk, Z };
    case 'reset':
      return { S: 1, Z };
    default:
      return { N: batch, S: batch, R: batch, Z };
  }
}
