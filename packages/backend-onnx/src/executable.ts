import { join } from 'node:path';
import {
  type Bindings,
  concreteShape,
  type DeviceInfo,
  type Dim,
  type Executable,
  elementCount,
  type Graph,
  type KernelTable,
  type Loop,
  leaves,
  type Prepared,
  ReceptanceError,
  type Sizes,
  sizeOf,
  symbolsOf,
} from '@receptance/core';
import { DeviceObject, OnnxBuffer, ownObject } from './buffer.ts';
import type { OnnxKernel } from './kernel.ts';
import type { Form, Target } from './lowering/lowering.ts';
import { type Feed, type Fetch, type Lengths, type LoweredModel, lowerModel } from './lowering/model.ts';
import type { LoopKind } from './lowering/ports.ts';
import { hasBlocks } from './lowering/stored.ts';
import type { OnnxParameters } from './parameters.ts';
import { encodeModel } from './proto/model.ts';
import type { Thread } from './worker/client.ts';
import type { BufferRange, PoolRows, Request, SessionOptions, TensorFeed, TensorFetch } from './worker/messages.ts';

/** The session that every device on a GPU opens first: it gives what it is given, and so brings it from the GPU. */
export const READER = 0;

/** What executables need of their device. */
export interface ExecutableTarget {
  readonly device: object;
  readonly thread: Thread;
  readonly kernels: KernelTable<OnnxKernel>;
  readonly info: DeviceInfo;
  readonly target: Omit<Target, 'form'>;
  /** Where models are written, beside their data files. */
  readonly folder: string;
  readonly session: SessionOptions;
  readonly nextId: () => number;
}

/** Where the sequences of a time op begin: an input of the graph, unless it is computed. */
interface Starts {
  readonly input: string | undefined;
  readonly ends: Dim;
  readonly tokens: Dim;
}

/** What runs of one model have in common. */
type Kind = Readonly<{ form: Form; fixed: Sizes; lengths: Lengths; loop: LoopKind | undefined }>;

/** A model for runs of one kind, open in the thread. */
interface Variant {
  readonly session: number;
  readonly lowered: LoweredModel;
  /** Runs whose work the thread knows, by what decides it, with their numbers: the latest few. */
  readonly works: Map<string, number>;
}

/** How many works of a session the thread knows. */
const MOST_WORKS = 8;

/** Sessions that are kept where each holds the weights, and where there is one for every length of a text. */
const MOST_ON_GPU = 4;

/**
 * A plan, and the sessions made of it: one for each kind of run, when there is the first of it. On the CPU they map the same data
 * file.
 */
export class OnnxExecutable extends DeviceObject implements Executable {
  readonly graph: Graph;
  readonly limits: Sizes;
  readonly memory: Executable['memory'];
  readonly parameters: OnnxParameters;
  /** Names of the graph's inputs. */
  readonly inputs: readonly string[];
  readonly #target: ExecutableTarget;
  /** The latest used is last. */
  readonly #variants = new Map<string, Variant>();
  /** How its time ops know where sequences begin. */
  readonly #starts: readonly Starts[];
  /** Inputs that say which rows of a pool are meant. */
  readonly #slots: readonly string[];
  readonly #symbols: readonly string[];
  /** Those of variables. */
  readonly #poolSymbols: ReadonlySet<string>;

  constructor(target: ExecutableTarget, { plan, limits }: Prepared<OnnxKernel>, parameters: OnnxParameters) {
    super(target.device);
    this.#target = target;
    this.graph = plan.graph;
    this.limits = limits;
    this.memory = plan.memory;
    this.parameters = parameters;
    const inputs = new Map([...leaves(plan.graph, 'input')].map(([name, { id }]) => [id, name]));
    this.inputs = [...inputs.values()];
    const users = plan.graph.nodes.filter((node) => node.inputs['starts'] !== undefined);
    this.#starts = users.map((node): Starts => {
      const { starts, x, k, gy } = node.inputs;
      const input = inputs.get(starts?.id ?? -1);
      return { input, ends: starts?.shape[0] ?? 1, tokens: (x ?? k ?? gy)?.shape[0] ?? 0 };
    });
    this.#slots = plan.graph.nodes.flatMap((node) => inputs.get(node.inputs['slots']?.id ?? -1) ?? []);
    const shapes = plan.graph.nodes.flatMap((node) => Object.values(node.outputs).map(({ shape }) => shape));
    this.#symbols = [...new Set(shapes.flatMap(symbolsOf))];
    this.#poolSymbols = new Set([...leaves(plan.graph, 'variable').values()].flatMap(({ shape }) => symbolsOf(shape)));
  }

  free(): void {
    if (this.freed) return;
    this.freed = true;
    for (const { session } of this.#variants.values()) this.#target.thread.post({ kind: 'release', session });
  }

  /** Asks the thread for a run; what it asks takes effect before anything asked later. */
  async run(sizes: Sizes, bindings: Bindings, loop: Loop): Promise<void> {
    const kind = loopKind(loop);
    const { form, lengths } = this.#form(sizes, bindings, kind);
    const isStepped = kind !== undefined && this.#isStepped(kind);
    const inside = isStepped ? undefined : kind;
    const fixed = this.#fixed(sizes);
    const key = JSON.stringify([form, fixed, lengths, inside]);
    const buffers = new Buffers(this, bindings);
    let variant = this.#variants.get(key);
    let opened: Promise<unknown> | undefined;
    if (variant === undefined) {
      this.#makeRoom();
      const made = this.#open({ form, fixed, lengths, loop: inside });
      ({ variant, opened } = made);
    }
    this.#variants.delete(key);
    this.#variants.set(key, variant);
    const request = this.#request(variant, sizes, buffers, loop, isStepped);
    buffers.forgetMirrors(loop);
    if (opened === undefined) {
      this.#target.thread.post(request);
      return;
    }
    const done = this.#target.thread.ask(request);
    try {
      await opened;
    } catch (error) {
      this.#variants.delete(key);
      await done.catch(() => undefined);
      throw error;
    }
    await done;
  }

  /** Lets go of the session that was not used for longest. */
  #makeRoom(): void {
    if (this.#target.target.provider === 'cpu' || this.#variants.size < MOST_ON_GPU) return;
    const [oldest] = this.#variants;
    if (oldest === undefined) return;
    const [key, { session }] = oldest;
    this.#variants.delete(key);
    this.#target.thread.post({ kind: 'release', session });
  }

  /** What is asked of the thread. To say it all takes longer than anything else here, so what the thread knows is not said again. */
  #request(
    { session, lowered: { feeds, fetches }, works }: Variant,
    sizes: Sizes,
    buffers: Buffers,
    loop: Loop,
    isStepped: boolean,
  ): Request {
    const key = JSON.stringify([sizes, buffers.ids, loop]);
    const known = works.get(key);
    if (known !== undefined) return { kind: 'run', session, number: known };
    const [oldest] = works;
    const number = works.size < MOST_WORKS ? works.size : (oldest?.[1] ?? 0);
    if (works.size === MOST_WORKS && oldest !== undefined) works.delete(oldest[0]);
    works.set(key, number);
    const binder = new Binder(this, sizes, buffers, loop, isStepped ? fetches : undefined);
    const work = {
      steps: isStepped ? loop.steps : 1,
      feeds: feeds.map((feed) => binder.feed(feed)),
      fetches: fetches.map((fetch) => binder.fetch(fetch, this.#staysOnGpu(fetch, sizes) ? READER : undefined)),
    };
    return { kind: 'run', session, number, work };
  }

  /**
   * Whether the steps of a loop are runs of a session, not a `Loop` within one run. The WebGPU provider has no `Loop`. On the CPU, a
   * session with one keeps weights in blocks twice until it is open: as they are mapped, and as it has laid them out anew.
   */
  #isStepped({ carry, feed }: LoopKind): boolean {
    const { provider } = this.#target.target;
    const isMoved = (name: string): boolean => Object.hasOwn(carry, name) || feed.includes(name);
    const isSteady = ![...this.#starts.map(({ input }) => input ?? ''), ...this.#slots].some(isMoved);
    if (provider === 'webgpu' && !isSteady) {
      throw new ReceptanceError('UNSUPPORTED_OP', 'a loop on the WebGPU provider cannot move starts or slots', {
        hint: 'ask for each step by itself, or use the backend webgpu',
      });
    }
    return isSteady && (provider === 'webgpu' || (provider === 'cpu' && hasBlocks(this.parameters.data)));
  }

  #open({ form, fixed, lengths, loop }: Kind): { variant: Variant; opened: Promise<unknown> } {
    const { thread, kernels, info, target, folder, session: options, nextId } = this.#target;
    const { graph, parameters } = this;
    const lowered = lowerModel({
      graph,
      kernels,
      info,
      data: parameters.data,
      target: { ...target, form },
      ...{ fixed, lengths, loop },
    });
    const session = nextId();
    const locations = lowered.fetches.map((fetch) => [
      fetch.name,
      this.#staysOnGpu(fetch, fixed) ? 'gpu-buffer' : 'cpu',
    ]);
    const isBound = locations.some(([, location]) => location !== 'cpu');
    const opened = thread.ask({
      ...{ kind: 'open', session, path: join(folder, `model-${session}.onnx`) },
      ...{ model: encodeModel(lowered.model), data: parameters.file },
      options: {
        ...options,
        ...(isBound ? { preferredOutputLocation: Object.fromEntries(locations) } : {}),
      },
    });
    return { variant: { session, lowered, works: new Map() }, opened };
  }

  /** The WebGPU provider can leave outputs where it makes them, and take them from there: states, from run to run. */
  #staysOnGpu({ to, type, shape }: Fetch, sizes: Sizes): boolean {
    const isState = to.kind === 'rows' && type === 'float32';
    return this.#target.target.provider === 'webgpu' && isState && elementCount(concreteShape(shape, sizes)) > 0;
  }

  /**
   * Sizes that a model may take as they are: those of pools; all of them where all are 1, as when one text is decoded;
   * and 0, since nothing is to be computed then, and some of ONNX Runtime's kernels end the process when they are
   * given nothing. On WebGPU all are known, since shapes would be computed on the CPU.
   */
  #fixed(sizes: Sizes): Sizes {
    const free = this.#symbols.filter((symbol) => !this.#poolSymbols.has(symbol));
    const isKnown = this.#target.target.provider === 'webgpu' || free.every((symbol) => sizes[symbol] === 1);
    const fixed = this.#symbols.filter((symbol) => isKnown || this.#poolSymbols.has(symbol) || sizes[symbol] === 0);
    return Object.fromEntries(fixed.map((symbol) => [symbol, sizes[symbol] ?? 0]));
  }

  /** On WebGPU with the lengths of sequences: it lowers several tokens by them, since it has no `Scan`. */
  #form(sizes: Sizes, bindings: Bindings, loop: LoopKind | undefined): { form: Form; lengths: Lengths } {
    const moving = new Set([...Object.keys(loop?.carry ?? {}), ...(loop?.feed ?? [])]);
    const known = this.#starts.map(({ input = '', ends, tokens }) => {
      const buffer = bindings.inputs[input];
      const mirror = buffer instanceof OnnxBuffer ? buffer.mirror : undefined;
      if (moving.has(input) || mirror === undefined) return { input, lengths: undefined };
      return { input, lengths: lengthsOf(input, mirror.subarray(0, sizeOf(ends, sizes)), sizeOf(tokens, sizes)) };
    });
    const forms = known.map(({ lengths }) => formOf(lengths));
    const isSingle = forms.length > 0 && forms.every((form) => form === 'single');
    if (isSingle) return { form: 'single', lengths: {} };
    const isWanted = this.#target.target.provider === 'webgpu';
    return {
      form: forms.includes('ragged') ? 'ragged' : 'even',
      lengths: Object.fromEntries(
        known.flatMap(({ input, lengths }) => (isWanted && lengths !== undefined ? [[input, lengths]] : [])),
      ),
    };
  }
}

/** @throws ReceptanceError `BAD_BINDINGS` when starts do not rise from 0 to N */
function lengthsOf(name: string, starts: Int32Array, tokens: number): number[] {
  const lengths = Array.from(starts.subarray(1), (end, s) => end - (starts[s] ?? 0));
  if (
    starts[0] !== 0 ||
    starts.at(-1) !== (lengths.length === 0 ? 0 : tokens) ||
    lengths.some((length) => length < 0)
  ) {
    throw new ReceptanceError('BAD_BINDINGS', `input ${name} holds ${starts.join(', ')} for ${tokens} tokens`, {
      hint: 'where sequences begin rises from 0, and ends with the number of tokens',
    });
  }
  return lengths;
}

function formOf(lengths: readonly number[] | undefined): Form {
  const length = lengths?.[0];
  if (lengths === undefined || length === undefined || lengths.some((other) => other !== length)) return 'ragged';
  return length === 1 ? 'single' : 'even';
}

function loopKind({ steps, carry, feed, collect }: Loop): LoopKind | undefined {
  const moves = Object.keys(carry).length + feed.length + collect.length > 0;
  return steps > 1 || moves ? { carry, feed, collect } : undefined;
}

/** What a run is given. */
class Buffers {
  readonly #inputs: ReadonlyMap<string, OnnxBuffer>;
  readonly #outputs: ReadonlyMap<string, OnnxBuffer>;

  /** @throws ReceptanceError `FOREIGN_OBJECT` */
  constructor({ device, graph, inputs: inputNames }: OnnxExecutable, { inputs, outputs }: Bindings) {
    const own = (names: readonly string[], bound: Bindings['inputs']): ReadonlyMap<string, OnnxBuffer> =>
      new Map(names.map((name) => [name, ownObject(device, bound[name], OnnxBuffer)]));
    this.#inputs = own(inputNames, inputs);
    this.#outputs = own(Object.keys(graph.outputs), outputs);
  }

  get ids(): readonly number[] {
    return [...this.#inputs.values(), ...this.#outputs.values()].map(({ id }) => id);
  }

  input(name: string): OnnxBuffer {
    return found(this.#inputs, name);
  }

  output(name: string): OnnxBuffer {
    return found(this.#outputs, name);
  }

  /** What a run writes is not known here. */
  forgetMirrors({ carry }: Loop): void {
    for (const buffer of this.#outputs.values()) buffer.mirror = undefined;
    for (const name of Object.keys(carry)) this.input(name).mirror = undefined;
  }
}

function found(buffers: ReadonlyMap<string, OnnxBuffer>, name: string): OnnxBuffer {
  const buffer = buffers.get(name);
  if (buffer !== undefined) return buffer;
  throw new Error(`${name} is not bound`);
}

/** Says for each input and output of a model what buffer it is. */
class Binder {
  readonly #executable: OnnxExecutable;
  readonly #sizes: Sizes;
  readonly #buffers: Buffers;
  readonly #loop: Loop;
  /** Of a model that makes one step of the loop. */
  readonly #stepFetches: readonly Fetch[] | undefined;

  constructor(
    executable: OnnxExecutable,
    sizes: Sizes,
    buffers: Buffers,
    loop: Loop,
    stepFetches: readonly Fetch[] | undefined,
  ) {
    this.#executable = executable;
    this.#sizes = sizes;
    this.#buffers = buffers;
    this.#loop = loop;
    this.#stepFetches = stepFetches;
  }

  feed({ name, shape, from }: Feed): TensorFeed {
    const dims = concreteShape(shape, this.#sizes);
    switch (from.kind) {
      case 'steps':
        return { name, dims: [], from: { int64: this.#loop.steps } };
      case 'size':
        return { name, dims, from: { int64: this.#sizes[from.symbol] ?? 0 } };
      case 'input': {
        const range = this.#range('feed', from.input, dims, this.#buffers.input(from.input));
        const output = this.#loop.carry[from.input];
        const carried = this.#stepFetches?.find(({ to }) => to.kind === 'output' && to.output === output)?.name;
        return { name, ...range, carried };
      }
      case 'rows':
        return {
          ...{ name, dims, carried: this.#carriedVariable(from.variable) },
          from: { rows: this.#rows(from.variable, from.slots, dims) },
        };
      case 'variable':
        return {
          ...{ name, dims, carried: this.#carriedVariable(from.variable) },
          from: { buffer: this.#variable(from.variable).id, offset: 0, stride: 0 },
        };
    }
  }

  fetch({ name, type, shape, to }: Fetch, reader: number | undefined): TensorFetch {
    const dims = concreteShape(shape, this.#sizes);
    switch (to.kind) {
      case 'output': {
        const { dims: all, from } = this.#range('collect', to.output, dims, this.#buffers.output(to.output));
        return { name, type, dims: all, to: { ...from, staged: false } };
      }
      case 'rows':
        return { name, type, dims, to: { rows: this.#rows(to.variable, to.slots, dims), reader } };
      case 'variable':
        return { name, type, dims, to: { buffer: this.#variable(to.variable).id, offset: 0, stride: 0, staged: true } };
    }
  }

  /** Of what moves with the steps: all of them for a loop within the model, else one and how far the next lies. */
  #range(
    moves: 'feed' | 'collect',
    name: string,
    dims: readonly number[],
    { id: buffer }: OnnxBuffer,
  ): { readonly dims: readonly number[]; readonly from: BufferRange } {
    if (!this.#loop[moves].includes(name)) return { dims, from: { buffer, offset: 0, stride: 0 } };
    if (this.#stepFetches !== undefined) return { dims, from: { buffer, offset: 0, stride: elementCount(dims) } };
    return { dims: [this.#loop.steps, ...dims], from: { buffer, offset: 0, stride: 0 } };
  }

  #carriedVariable(variable: string): string | undefined {
    return this.#stepFetches?.find(({ to }) => to.kind !== 'output' && to.variable === variable)?.name;
  }

  #variable(name: string): OnnxBuffer {
    const buffer = this.#executable.parameters.variables.get(name);
    if (buffer !== undefined) return buffer;
    throw new Error(`variable ${name} was not loaded`);
  }

  #rows(variable: string, slots: string, [count = 0, ...row]: readonly number[]): PoolRows {
    const pool = this.#variable(variable);
    const size = elementCount(row);
    const poolRows = size === 0 ? 0 : pool.elements / size;
    return { pool: pool.id, slots: this.#buffers.input(slots).id, count, size, poolRows };
  }
}
