import { fingerprinting } from '@receptance/checkpoint';
import {
  type Backend,
  type Device,
  differentiate,
  type Executable,
  elementCount,
  firstAvailable,
  type Graph,
  leaves,
  type MemoryReport,
  ReceptanceError,
} from '@receptance/core';
import type { Adaptation } from './adapt/adaptation.ts';
import { adaptationOf } from './adapt/choose.ts';
import { type Batch, Batches, consecutive } from './data/batches.ts';
import { dataFingerprint } from './data/fingerprint.ts';
import type { TokenSource } from './data/token-source.ts';
import { Engine, type Scalars } from './engine.ts';
import { momentNames } from './graph/adamw.ts';
import { accumulateGraph, accumulatorName, stepGraph } from './graph/step.ts';
import { type SavedTraining, type Settings, settingsOf, type TrainerOptions } from './options.ts';
import { checkFrozen, describeTraining, type Identity, stepOf } from './saved.ts';
import { rateAt } from './schedule.ts';
import { layered, lazySource } from './weights/tensors.ts';

/** What one step did. */
export interface StepReport {
  /** Steps done, this one too. */
  readonly step: number;
  /** Mean cross-entropy of the step's tokens before it, in nats. */
  readonly loss: number;
  /** Of all gradients together, before clipping. */
  readonly norm: number;
  readonly rate: number;
  /** Tokens of the step. */
  readonly tokens: number;
  readonly milliseconds: number;
}

export interface Evaluation {
  /** Mean cross-entropy in nats. */
  readonly loss: number;
  /** Tokens that were foreseen. */
  readonly tokens: number;
}

export interface EvaluateOptions {
  /** Tokens to look at, at most. Default 65,536. */
  readonly tokens?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface RunOptions {
  /** Steps done when it ends. By default those of the schedule. */
  readonly until?: number | undefined;
  /** Ends the run after the step that is being made. */
  readonly signal?: AbortSignal | undefined;
}

interface Graphs {
  readonly step: Graph;
  readonly accumulate: Graph | undefined;
  readonly evaluate: Graph;
  /** Every gradient by itself: made only when one has failed. */
  readonly gradients: () => Graph;
}

interface TrainerParts {
  readonly device: Device;
  readonly engine: Engine;
  readonly adaptation: Adaptation;
  readonly identity: Identity;
  /** Fingerprint of the weights that are not trained. */
  readonly frozen: string;
  readonly batches: Batches;
  readonly graphs: Graphs;
  readonly executables: { readonly step: Executable; readonly accumulate: Executable | undefined };
  readonly step: number;
  readonly groupNormEps: number | undefined;
}

/**
 * Makes a model ready to be trained: opens the backend, brings the weights there, compiles a step.
 * @throws ReceptanceError `BAD_OPTION`, `UNKNOWN_MODEL`, `NOT_TRAINABLE`, `DATA_TOO_SHORT`, `BAD_RESUME`, `BACKEND_UNAVAILABLE`,
 * and what reading weights and data throws
 */
export async function createTrainer(options: TrainerOptions): Promise<Trainer> {
  const { signal, onProgress, resume, data } = options;
  const settings = settingsOf(options);
  const adaptation = adaptationOf(options, settings);
  const { kind, vocabularySize, architecture, hyperparameters } = adaptation;
  const batches = new Batches({ data, vocabularySize, ...settings });
  const backend = chosen(options);
  const identity = {
    ...{ kind, architecture, hyperparameters, backend: backend.name },
    ...{ dataLength: data.length, dataFingerprint: await dataFingerprint(data), settings },
  };
  const graphs = graphsOf(adaptation, settings);
  const step = resume === undefined ? 0 : stepOf(resume, identity, savedShapes(graphs, adaptation));
  const opening = { ...(signal && { signal }), ...(onProgress && { onProgress }) };
  const device = await backend.open(opening);
  try {
    const fixed = fingerprinting(adaptation.source, leaves(graphs.step, 'parameter').keys());
    const source = resume === undefined ? fixed.source : layered(resume, fixed.source);
    const parameters = await device.loadParameters(source, [graphs.step, graphs.evaluate], opening);
    const frozen = (await fixed.fingerprint()).digits;
    if (resume !== undefined) checkFrozen(resume, frozen);
    const engine = new Engine({ device, parameters, ...settings });
    onProgress?.({ what: 'compiling', done: 0, total: 1 });
    const executables = {
      step: await engine.compile(graphs.step),
      accumulate: graphs.accumulate && (await engine.compile(graphs.accumulate)),
    };
    onProgress?.({ what: 'compiling', done: 1, total: 1 });
    const { groupNormEps } = options;
    const made = { device, engine, executables, frozen, step, groupNormEps };
    return new Trainer({ adaptation, identity, batches, graphs, ...made });
  } catch (error) {
    await device.close();
    throw error;
  }
}

function chosen({ backend, onUnavailable }: TrainerOptions): Backend {
  return 'open' in backend ? backend : firstAvailable(backend, onUnavailable);
}

function graphsOf(adaptation: Adaptation, settings: Settings): Graphs {
  const { groups } = adaptation;
  const { l2Wrap, accumulate, sequences, order, adam, optimiser } = settings;
  const carried = order === 'stream' ? sequences : undefined;
  const objective = adaptation.objective({ l2Wrap, carried });
  return {
    step: stepGraph(objective, groups, { adam, optimiser, accumulates: accumulate > 1 }),
    accumulate: accumulate > 1 ? accumulateGraph(objective, groups) : undefined,
    evaluate: adaptation.objective({ l2Wrap: 0 }),
    gradients: () => differentiate(objective, 'objective', [...groups.keys()]),
  };
}

/** A model that is being trained. Calls are made one after the other. */
export class Trainer {
  readonly #parts: TrainerParts;
  #evaluate: Executable | undefined;
  #step: number;

  /** See `createTrainer`. */
  constructor(parts: TrainerParts) {
    this.#parts = parts;
    this.#step = parts.step;
  }

  /** Steps done. */
  get step(): number {
    return this.#step;
  }

  get steps(): number {
    return this.#settings.steps;
  }

  get tokensPerStep(): number {
    const { sequences, length, accumulate } = this.#settings;
    return sequences * length * accumulate;
  }

  /** Steps until all data were seen. */
  get stepsPerEpoch(): number {
    return Math.max(1, Math.floor(this.#parts.batches.perEpoch / this.#settings.accumulate));
  }

  get architecture(): string {
    return this.#parts.identity.architecture;
  }

  /** Numbers that are trained. */
  get trained(): number {
    const shapes = leafShapes(this.#parts.graphs.step);
    return [...this.#parts.adaptation.groups.keys()].reduce(
      (sum, name) => sum + elementCount(shapes.get(name) ?? []),
      0,
    );
  }

  /** What the device is. */
  get device(): Device['info'] {
    return this.#parts.device.info;
  }

  /** Bytes on the device: weights with all that goes with them, of that the optimiser's, and what a step makes on the way. */
  get memory(): { readonly parameters: number; readonly optimiser: number; readonly step: MemoryReport } {
    const { engine, graphs, adaptation, executables } = this.#parts;
    const shapes = leafShapes(graphs.step);
    const moments = [...adaptation.groups.keys()].map(momentNames).flatMap(({ first, second }) => [first, second]);
    const optimiser = moments.reduce((sum, name) => sum + 4 * elementCount(shapes.get(name) ?? [0]), 0);
    return { parameters: engine.bytes, optimiser, step: executables.step.memory };
  }

  get #settings(): Settings {
    return this.#parts.identity.settings;
  }

  /** The steps that are left, one after the other. A `break` or the signal ends it between two steps. */
  async *run({ until = this.steps, signal }: RunOptions = {}): AsyncGenerator<StepReport, void, undefined> {
    while (this.#step < until && signal?.aborted !== true) {
      yield await this.next();
      // A device may compute in this thread: signals and clicks are heard here.
      await new Promise((resolve) => setTimeout(resolve));
    }
  }

  /**
   * One step.
   * @throws ReceptanceError `NOT_FINITE` that names the step and the tensor whose gradient is no number; the weights are those
   * before it
   */
  async next(): Promise<StepReport> {
    const began = performance.now();
    const { engine, executables, batches } = this.#parts;
    const { accumulate } = this.#settings;
    const numbers = Array.from({ length: accumulate }, (_, i) => this.#step * accumulate + i);
    const given = await Promise.all(numbers.map((number) => batches.batch(number)));
    const tokens = given.reduce((sum, { counted }) => sum + counted, 0);
    const scalars = this.#scalars(tokens);
    let loss = 0;
    let norm = 0;
    for (const [i, batch] of given.entries()) {
      const last = i === given.length - 1;
      const executable = last ? executables.step : (executables.accumulate ?? executables.step);
      const made = await engine.run(executable, batch, scalars);
      loss += made['loss'] ?? Number.NaN;
      norm = made['norm'] ?? norm;
    }
    if (!Number.isFinite(loss) || !(norm < 1e30)) throw await this.#diverged(given, scalars, loss);
    this.#step++;
    const rate = scalars['rate'] ?? 0;
    return { step: this.#step, loss, norm, rate, tokens, milliseconds: performance.now() - began };
  }

  /**
   * The loss of held-out tokens, read in order in texts as long as those of the training, each from its own start.
   * @throws ReceptanceError `DATA_TOO_SHORT`
   */
  async evaluate(data: TokenSource, { tokens = 65_536, signal }: EvaluateOptions = {}): Promise<Evaluation> {
    const { engine, adaptation, graphs } = this.#parts;
    this.#evaluate ??= await engine.compile(graphs.evaluate);
    const { vocabularySize } = adaptation;
    let sum = 0;
    let counted = 0;
    for await (const batch of consecutive({ data, vocabularySize, ...this.#settings }, tokens)) {
      signal?.throwIfAborted();
      sum += (await engine.run(this.#evaluate, batch, { scale: 1 }))['loss'] ?? Number.NaN;
      counted += batch.counted;
      await new Promise((resolve) => setTimeout(resolve));
    }
    if (counted > 0) return { loss: sum / counted, tokens: counted };
    throw new ReceptanceError('DATA_TOO_SHORT', `${data.length} tokens to evaluate by leave none to foresee`, {
      hint: 'hold out more of the data',
    });
  }

  /**
   * The model as it is now, under its official names, what was trained in f32: for `safetensorsChunks`, or for `load`
   * of `receptance`. Read before the next step.
   */
  weights(): SavedTraining {
    const { adaptation, engine, groupNormEps } = this.#parts;
    const metadata: Record<string, string> = groupNormEps === undefined ? {} : { groupNormEps: String(groupNormEps) };
    return { ...adaptation.result((name) => engine.read(name)), metadata };
  }

  /** All that is needed to go on: trained weights, optimiser, carried states. Read before the next step. */
  saved(): SavedTraining {
    const { engine, identity, graphs, adaptation, device, frozen } = this.#parts;
    const float = device.info.float;
    const infos = [...savedShapes(graphs, adaptation)].map(([name, shape]) => {
      const bytes = (float === 'f64' ? 8 : 4) * elementCount(shape);
      return [name, { dtype: float, shape, bytes }] as const;
    });
    const source = lazySource(new Map(infos), (name) => engine.read(name));
    return { ...source, metadata: describeTraining(this.#step, identity, frozen) };
  }

  async close(): Promise<void> {
    await this.#parts.device.close();
  }

  #scalars(tokens: number): Scalars {
    const { schedule, steps, clip, weightDecay, adam } = this.#settings;
    const t = this.#step + 1;
    return {
      rate: rateAt(schedule, this.#step, steps),
      ...{ clip, weightDecay, scale: 1 / Math.max(1, tokens) },
      correction1: 1 / (1 - adam.beta1 ** t),
      correction2: 1 / Math.sqrt(1 - adam.beta2 ** t),
    };
  }

  /** Finds out what went wrong: the step left the weights as they were. */
  async #diverged(batches: readonly Batch[], scalars: Scalars, loss: number): Promise<ReceptanceError> {
    const { engine, graphs } = this.#parts;
    const where = `step ${this.#step + 1}: `;
    const hint = 'resume from an earlier checkpoint with a lower learning rate, or look at the data';
    for (const name of this.#parts.adaptation.groups.keys()) {
      if ((await engine.read(name)).every(Number.isFinite)) continue;
      return new ReceptanceError('NOT_FINITE', `${where}the weights of ${name} are not finite`, { hint });
    }
    const executable = await engine.compile(graphs.gradients());
    const bad: string[] = [];
    for (const batch of batches) {
      for await (const [name, numbers] of engine.outputs(executable, batch, scalars)) {
        if (name.startsWith('grad.') && !numbers.every((x) => Math.abs(x) < 1e15)) bad.push(name.slice(5));
      }
    }
    executable.free();
    const [first] = bad;
    const others = new Set(bad).size - 1;
    const what = first === undefined ? `the loss is ${loss}` : `the gradient of ${first} is not finite`;
    const more = others > 0 ? `, nor are those of ${others} more tensors` : '';
    return new ReceptanceError('NOT_FINITE', `${where}${what}${more}`, { hint });
  }
}

/** Names and shapes of what is kept from step to step: all variables but the accumulators, which are empty between two. */
function savedShapes({ step }: Graphs, { groups }: Adaptation): Map<string, readonly number[]> {
  const shapes = leafShapes(step);
  for (const name of groups.keys()) shapes.delete(accumulatorName(name));
  return shapes;
}

function leafShapes(graph: Graph): Map<string, readonly number[]> {
  const variables = graph.nodes.filter(({ op }) => op === 'variable');
  return new Map(
    variables.map(({ attrs, outputs }) => [String(attrs['name']), (outputs['y']?.shape ?? []).map(Number)]),
  );
}
