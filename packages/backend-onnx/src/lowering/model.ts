import type { DeviceInfo, KernelTable } from '@receptance/core';
import {
  type Dim,
  type Graph,
  leaves,
  type Node,
  type Shape,
  type Sizes,
  selectKernel,
  symbolsOf,
  type Value,
} from '@receptance/core';
import type { OnnxKernel } from '../kernel.ts';
import { domainsOf, type ModelData, type OnnxType } from '../proto/model.ts';
import { Block, type Ref } from './block.ts';
import { Lowering, type Target } from './lowering.ts';
import { type LoopKind, type StatePort, statePorts } from './ports.ts';
import type { DataFile } from './stored.ts';
import { Weights } from './weights.ts';

/** The version of the standard that models ask for unless told otherwise. */
export const OPSET = 21;

/** What a model is given at one of its inputs. */
export interface Feed {
  readonly name: string;
  readonly type: 'float32' | 'int32' | 'int64';
  /** Of a fed input of a loop, one step's. */
  readonly shape: Shape;
  readonly from:
    | { readonly kind: 'input'; readonly input: string; readonly fed: boolean }
    | { readonly kind: 'rows'; readonly variable: string; readonly slots: string }
    | { readonly kind: 'variable'; readonly variable: string }
    | { readonly kind: 'size'; readonly symbol: string }
    | { readonly kind: 'steps' };
}

/** Where one of a model's outputs goes. */
export interface Fetch {
  readonly name: string;
  readonly type: 'float32' | 'int32';
  /** Of a collected output of a loop, one step's. */
  readonly shape: Shape;
  readonly to:
    | { readonly kind: 'output'; readonly output: string; readonly collected: boolean }
    | { readonly kind: 'rows'; readonly variable: string; readonly slots: string }
    | { readonly kind: 'variable'; readonly variable: string };
}

export interface LoweredModel {
  readonly model: ModelData;
  readonly feeds: readonly Feed[];
  readonly fetches: readonly Fetch[];
}

export type Lengths = Readonly<Record<string, readonly number[]>>;

export interface LoweringRequest {
  /** As planned: every node has a kernel. */
  readonly graph: Graph;
  readonly kernels: KernelTable<OnnxKernel>;
  readonly info: DeviceInfo;
  readonly data: DataFile;
  readonly target: Target;
  /** Symbols whose size is the same in every run of this model. */
  readonly fixed: Sizes;
  /** Inputs that mark out sequences in the same way in every run of this model: how many tokens each has. */
  readonly lengths?: Lengths;
  readonly loop?: LoopKind | undefined;
  readonly opset?: number;
  readonly doc?: string;
  readonly metadata?: Readonly<Record<string, string>>;
}

/** Writes a planned graph as an ONNX model. */
export function lowerModel(request: LoweringRequest): LoweredModel {
  return new ModelBuilder(request).build();
}

/** What goes from step to step of a loop. */
interface Carried {
  readonly type: OnnxType;
  readonly shape: Shape;
  readonly initial: Ref;
  readonly next: (o: Lowering) => Ref;
  /** Told where the last step's is. */
  readonly fetch: ((ref: Ref) => void) | undefined;
}

class ModelBuilder {
  readonly #request: LoweringRequest;
  readonly #main = new Block();
  readonly #weights: Weights;
  readonly #feeds: Feed[] = [];
  readonly #fetches: Fetch[] = [];
  readonly #states: ReadonlyMap<string, StatePort>;
  readonly #inputs: ReadonlyMap<string, Value>;
  readonly #leaves: ReadonlyMap<number, Node>;
  readonly #producers: ReadonlyMap<number, Node>;
  /** Inputs of the main graph by what they are. */
  readonly #declared = new Map<string, Ref>();
  readonly #symbols = new Map<string, Ref>();
  /** What stands for an input or a state in the graph that holds the step: not an input of the model, in a loop. */
  readonly #carried = new Map<string, Ref>();
  #iteration: Ref = '';

  constructor(request: LoweringRequest) {
    this.#request = request;
    this.#weights = new Weights(request.data, this.#main, request.target);
    this.#states = statePorts(request.graph, request.loop);
    this.#inputs = leaves(request.graph, 'input');
    this.#producers = new Map(
      request.graph.nodes.flatMap((node) => Object.values(node.outputs).map(({ id }) => [id, node] as const)),
    );
    const nodes = request.graph.nodes.filter(({ op }) => ['input', 'parameter', 'variable', 'constant'].includes(op));
    this.#leaves = new Map(nodes.flatMap((node) => (node.outputs['y'] ? [[node.outputs['y'].id, node]] : [])));
  }

  build(): LoweredModel {
    const { graph, loop, opset = OPSET, doc, metadata } = this.#request;
    if (loop === undefined) this.#plain();
    else this.#loop(loop);
    const lowered = this.#main.finish(graph.name);
    const others = [...domainsOf(lowered)].filter((domain) => domain !== '');
    const opsets = { '': opset, ...Object.fromEntries(others.map((domain) => [domain, 1])) };
    const model: ModelData = { graph: lowered, opsets, doc, metadata };
    return { model, feeds: this.#feeds, fetches: this.#fetches };
  }

  #plain(): void {
    const { graph } = this.#request;
    const o = this.#lowering(this.#main);
    const after = this.#lowerNodes(o);
    for (const [name, value] of Object.entries(graph.outputs)) {
      this.#fetch(o.ref(value), typeOf(value), value.shape, { kind: 'output', output: name, collected: false });
    }
    for (const port of this.#states.values()) if (port.written) this.#fetchState(after(port), port);
  }

  /** Everything that moves from step to step is carried by a Loop; the rest is seen from outside. */
  #loop(loop: LoopKind): void {
    const { graph } = this.#request;
    const { names } = this.#main;
    const outer = this.#lowering(this.#main);
    const body = this.#main.inner();
    this.#iteration = body.input({ name: names.fresh('iteration'), type: 'int64', shape: [] });
    body.input({ name: names.fresh('condition'), type: 'bool', shape: [] });

    const carried: Carried[] = [];
    const carry = (one: Carried): Ref => {
      carried.push(one);
      // Shapes are for ONNX Runtime's optimiser, which fuses little where it knows none.
      return body.input({ name: names.fresh('carried'), type: one.type, shape: this.#dims(one.shape) });
    };
    let after: (port: StatePort) => Ref = () => '';
    for (const [input, output] of Object.entries(loop.carry)) {
      const [from, to] = [this.#inputs.get(input), graph.outputs[output]];
      if (from === undefined || to === undefined) continue;
      const next = (o: Lowering): Ref => o.reshape(o.ref(to), from.shape);
      const { shape } = from;
      const initial = this.#input(input, from);
      this.#carried.set(`input ${input}`, carry({ type: typeOf(from), shape, initial, next, fetch: undefined }));
    }
    for (const port of this.#states.values()) {
      if (!port.written) continue;
      const fetch = (ref: Ref): void => this.#fetchState(ref, port);
      const { variable, shape } = port;
      const next = (): Ref => after(port);
      const inside = carry({ type: this.#variableType(variable), shape, initial: this.#state(port), next, fetch });
      this.#carried.set(`variable ${variable}`, inside);
    }
    for (const [output, value] of Object.entries(graph.outputs)) {
      if (loop.collect.includes(output)) continue;
      const zeros = outer.full(0, value.shape);
      const initial = value.dtype === 'i32' ? outer.cast(zeros, 'int32') : zeros;
      const fetch = (ref: Ref): void =>
        this.#fetch(ref, typeOf(value), value.shape, { kind: 'output', output, collected: false });
      carry({ type: typeOf(value), shape: value.shape, initial, next: (o) => o.ref(value), fetch });
    }

    const o = this.#lowering(body);
    after = this.#lowerNodes(o);
    body.output(body.flag(true), { name: names.fresh('condition'), type: 'bool', shape: [] });
    for (const { type, shape, next } of carried)
      body.output(next(o), { name: names.fresh('carried'), type, shape: this.#dims(shape) });
    const collected = Object.entries(graph.outputs).filter(([name]) => loop.collect.includes(name));
    for (const [, value] of collected)
      body.output(o.ref(value), {
        name: names.fresh('collected'),
        type: typeOf(value),
        shape: this.#dims(value.shape),
      });

    const steps = this.#declare('steps', 'steps', 'int64', [], { kind: 'steps' });
    const results = this.#main.ops(
      'Loop',
      [steps, this.#main.flag(true), ...carried.map(({ initial }) => initial)],
      carried.length + collected.length,
      { body: { graph: body.finish(names.fresh('step')) } },
    );
    carried.forEach(({ fetch }, i) => {
      fetch?.(results[i] ?? '');
    });
    collected.forEach(([name, value], i) => {
      this.#fetch(results[carried.length + i] ?? '', typeOf(value), value.shape, {
        ...{ kind: 'output', output: name, collected: true },
      });
    });
  }

  #lowering(block: Block): Lowering {
    return new Lowering(block, this.#request.target, {
      leaf: (value, at) => this.#leaf(value, at),
      matrix: (value, at) => {
        const name = this.#parameter(value);
        return name === undefined ? undefined : this.#weights.matrix(name, at);
      },
      blocks: (value) => {
        const name = this.#parameter(value);
        return name === undefined ? undefined : this.#weights.blocks(name);
      },
      producer: (value) => this.#producers.get(value.id),
      symbol: (symbol) => this.#request.fixed[symbol] ?? this.#symbol(symbol),
      lengths: (starts) => this.#lengths(starts),
    });
  }

  #parameter({ id }: Value): string | undefined {
    const node = this.#leaves.get(id);
    return node?.op === 'parameter' ? String(node.attrs['name']) : undefined;
  }

  #lengths({ id }: Value): readonly number[] | undefined {
    const { op, attrs } = this.#leaves.get(id) ?? {};
    if (op === 'constant') {
      const starts = Array.isArray(attrs?.['data']) ? attrs['data'].map(Number) : [];
      return starts.slice(1).map((end, s) => end - (starts[s] ?? 0));
    }
    return op === 'input' ? this.#request.lengths?.[String(attrs?.['name'])] : undefined;
  }

  /** @returns the new value of a state, once all nodes are there */
  #lowerNodes(o: Lowering): (port: StatePort) => Ref {
    const { graph, kernels, info } = this.#request;
    const { names } = o.block;
    for (const node of graph.nodes) {
      if (this.#leaves.has(node.outputs['y']?.id ?? -1)) continue;
      const port = this.#rowsPort(node);
      const { y } = node.outputs;
      if (port !== undefined && y !== undefined) {
        if (node.op === 'stateRead') o.set(y, this.#stateInside(port));
        continue;
      }
      const kernel = selectKernel(kernels, node, info);
      if (typeof kernel === 'string') throw new Error(`the plan has ${node.op} without a kernel: ${kernel}`);
      names.scope = [node.scope.replaceAll('.', '/'), node.op].filter((part) => part !== '').join('/');
      const made = kernel.lower(node.inputs, node.outputs, node.attrs, o);
      for (const [name, value] of Object.entries(node.outputs)) o.set(value, made[name] ?? '');
    }
    names.scope = '';
    return (port) => {
      const value = graph.updates[port.variable];
      const write = graph.nodes.find(({ outputs }) => outputs['y']?.id === value?.id);
      const made = port.kind === 'rows' ? write?.inputs['value'] : value;
      if (made === undefined) throw new Error(`${port.variable} has no new value`);
      return o.ref(made);
    };
  }

  /** The pool that a node reads or writes by rows, where that is done outside the model. */
  #rowsPort({ op, inputs }: Node): StatePort | undefined {
    if (op !== 'stateRead' && op !== 'stateWrite') return undefined;
    const leaf = this.#leaves.get(inputs['pool']?.id ?? -1);
    const port = this.#states.get(String(leaf?.attrs['name']));
    return leaf?.op === 'variable' && port?.kind === 'rows' ? port : undefined;
  }

  #leaf(value: Value, block: Block): Ref | undefined {
    const node = this.#leaves.get(value.id);
    const name = String(node?.attrs['name']);
    switch (node?.op) {
      case 'input': {
        const input = this.#carried.get(`input ${name}`) ?? this.#input(name, value);
        const fed = this.#request.loop?.feed.includes(name) ?? false;
        return fed ? block.op('Gather', [input, this.#iteration]) : input;
      }
      case 'variable': {
        const port = this.#states.get(name);
        return port === undefined ? undefined : this.#stateInside(port);
      }
      case 'parameter':
        return this.#weights.ref(name, block);
      case 'constant':
        return constant(node, value, block);
      default:
        return undefined;
    }
  }

  #stateInside(port: StatePort): Ref {
    return this.#carried.get(`variable ${port.variable}`) ?? this.#state(port);
  }

  /** An input of the model that stands for an input of the graph. */
  #input(name: string, value: Value): Ref {
    const fed = this.#request.loop?.feed.includes(name) ?? false;
    return this.#declare(`input ${name}`, name, typeOf(value), value.shape, { kind: 'input', input: name, fed });
  }

  #state({ variable, shape, ...port }: StatePort): Ref {
    const from =
      port.kind === 'rows'
        ? ({ kind: 'rows', variable, slots: port.slots } as const)
        : ({ kind: 'variable', variable } as const);
    const type = this.#variableType(variable);
    return this.#declare(`variable ${variable}`, variable, type, shape, from);
  }

  #variableType(name: string): 'float32' | 'int32' {
    const value = leaves(this.#request.graph, 'variable').get(name);
    return value === undefined ? 'float32' : typeOf(value);
  }

  #declare(key: string, stem: string, type: Feed['type'], shape: Shape, from: Feed['from']): Ref {
    const known = this.#declared.get(key);
    if (known !== undefined) return known;
    const name = this.#main.names.fresh(stem);
    const fed = from.kind === 'input' && from.fed;
    const dims = this.#dims(shape);
    this.#main.input({ name, type, shape: fed ? ['steps', ...dims] : dims });
    this.#feeds.push({ name, type, shape, from });
    this.#declared.set(key, name);
    return name;
  }

  /** A shape with the sizes that are the same in every run. */
  #dims(shape: Shape): Dim[] {
    return shape.map((dim) => {
      if (typeof dim === 'number') return dim;
      const [symbol = ''] = symbolsOf([dim]);
      const size = this.#request.fixed[symbol];
      return size === undefined ? dim : size + Number(dim.slice(symbol.length + 1));
    });
  }

  /** The size of a symbol as int64[1]: of an axis of an input that has it, else of an input of its own. */
  #symbol(symbol: string): Ref {
    const known = this.#symbols.get(symbol);
    if (known !== undefined) return known;
    const made =
      this.#sizeOfInput(symbol) ?? this.#declare(`size ${symbol}`, symbol, 'int64', [1], { kind: 'size', symbol });
    this.#symbols.set(symbol, made);
    return made;
  }

  #sizeOfInput(symbol: string): Ref | undefined {
    const states = [...this.#states.values()].filter(({ kind, read }) => kind === 'rows' && read);
    // What only says which rows of a pool are meant is no input of the model.
    const slots = new Set([...this.#states.values()].flatMap((port) => (port.kind === 'rows' ? [port.slots] : [])));
    const sources = [
      ...states.map((port) => ({ shape: port.shape, ref: () => this.#state(port), first: 0 })),
      ...[...this.#inputs]
        .filter(([name]) => !slots.has(name))
        .map(([name, value]) => {
          const first = this.#request.loop?.feed.includes(name) ? 1 : 0;
          return { shape: value.shape, ref: () => this.#input(name, value), first };
        }),
    ];
    for (const { shape, ref, first } of sources) {
      const axis = shape.indexOf(symbol);
      if (axis < 0) continue;
      const range = { start: { int: first + axis }, end: { int: first + axis + 1 } };
      return this.#main.op('Shape', [ref()], range);
    }
    return undefined;
  }

  #fetchState(ref: Ref, { variable, shape, ...port }: StatePort): void {
    const to =
      port.kind === 'rows'
        ? ({ kind: 'rows', variable, slots: port.slots } as const)
        : ({ kind: 'variable', variable } as const);
    this.#fetch(ref, this.#variableType(variable), shape, to);
  }

  #fetch(ref: Ref, type: Fetch['type'], shape: Shape, to: Fetch['to']): void {
    const stem = to.kind === 'output' ? to.output : `${to.variable}.next`;
    const name = this.#main.names.fresh(stem);
    const dims = this.#dims(shape);
    const collected = to.kind === 'output' && to.collected;
    this.#main.output(ref, { name, type, shape: collected ? ['steps', ...dims] : dims });
    this.#fetches.push({ name, type, shape, to });
  }
}

function typeOf({ dtype }: { readonly dtype: string }): 'float32' | 'int32' {
  return dtype === 'i32' ? 'int32' : 'float32';
}

function constant({ attrs }: Node, { dtype, shape }: Value, block: Block): Ref {
  const numbers = Array.isArray(attrs['data']) ? attrs['data'].map(Number) : [];
  const dims = shape.map(Number);
  return dtype === 'i32' ? block.ints32(numbers, dims) : block.floats(numbers, dims);
}
