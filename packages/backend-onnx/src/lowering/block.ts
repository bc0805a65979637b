import type { Attribute, GraphData, NodeData, OnnxType, Port, Tensor } from '../proto/model.ts';
import { tidy } from './tidy.ts';

/** The name of a tensor in the ONNX graph being built. */
export type Ref = string;

export interface OpOptions {
  readonly domain?: string;
  /** Names of the outputs, instead of new ones. */
  readonly as?: readonly Ref[];
  /** Before all nodes that are not: of nodes that take nothing but weights. See `Block`. */
  readonly first?: boolean;
}

/** Names that are used once in a whole model: subgraphs see those of the graphs around them. */
export class Names {
  readonly #used = new Map<string, number>();
  /** Put before the names of nodes: where in the model they come from. */
  scope = '';

  fresh(stem: string): string {
    const count = this.#used.get(stem) ?? 0;
    this.#used.set(stem, count + 1);
    return count === 0 ? stem : `${stem}_${count}`;
  }
}

/**
 * A graph or subgraph under construction: nodes in order, and the constants that they use.
 *
 * ONNX Runtime's order is another: it goes from the outputs to what they need, of which it takes first what is last in the file, and computes
 * it first. Nodes that widen a weight, if they stood before the products, would all be computed before everything else and every weight be wide at a
 * time. Where they stand first each is computed when it is needed.
 */
export class Block {
  readonly names: Names;
  readonly #first: NodeData[] = [];
  readonly #nodes: NodeData[] = [];
  readonly #initializers: Tensor[] = [];
  readonly #inputs: Port[] = [];
  readonly #outputs: Port[] = [];
  readonly #constants = new Map<string, Ref>();

  constructor(names: Names = new Names()) {
    this.names = names;
  }

  /** A block inside this one, which sees its tensors. */
  inner(): Block {
    return new Block(this.names);
  }

  /** Adds a node with one output. An empty input stands for one that is left out. */
  op(
    type: string,
    inputs: readonly Ref[],
    attributes: Readonly<Record<string, Attribute>> = {},
    o: OpOptions = {},
  ): Ref {
    const [first = ''] = this.ops(type, inputs, 1, attributes, o);
    return first;
  }

  /** Adds a node with several outputs. */
  ops(
    type: string,
    inputs: readonly Ref[],
    count: number,
    attributes: Readonly<Record<string, Attribute>> = {},
    { domain = '', as, first = false }: OpOptions = {},
  ): Ref[] {
    const { scope } = this.names;
    const name = this.names.fresh(scope === '' ? type : `${scope}/${type}`);
    const outputs =
      as ?? Array.from({ length: count }, (_, i) => this.names.fresh(count === 1 ? `${name}:y` : `${name}:${i}`));
    (first ? this.#first : this.#nodes).push({ op: type, domain, name, inputs, outputs, attributes });
    return [...outputs];
  }

  input(port: Port): Ref {
    this.#inputs.push(port);
    return port.name;
  }

  /** Makes a tensor an output, under the name of the port. */
  output(ref: Ref, port: Port): void {
    this.op('Identity', [ref], {}, { as: [port.name] });
    this.#outputs.push(port);
  }

  initializer(tensor: Tensor): Ref {
    this.#initializers.push(tensor);
    return tensor.name;
  }

  /** A constant of 32-bit floats; by default a scalar. */
  floats(numbers: readonly number[], dims: readonly number[] = numbers.length === 1 ? [] : [numbers.length]): Ref {
    return this.#constant('float32', dims, Float32Array.from(numbers));
  }

  ints32(numbers: readonly number[], dims: readonly number[] = numbers.length === 1 ? [] : [numbers.length]): Ref {
    return this.#constant('int32', dims, Int32Array.from(numbers));
  }

  /** A constant vector of 64-bit integers: axes, shapes, indices. */
  ints(numbers: readonly number[], dims: readonly number[] = [numbers.length]): Ref {
    return this.#constant('int64', dims, BigInt64Array.from(numbers, BigInt));
  }

  flag(value: boolean): Ref {
    return this.flags([value], []);
  }

  flags(values: readonly boolean[], dims: readonly number[]): Ref {
    return this.#constant('bool', dims, Uint8Array.from(values, Number));
  }

  #constant(
    type: OnnxType,
    dims: readonly number[],
    numbers: Float32Array | Int32Array | BigInt64Array | Uint8Array,
  ): Ref {
    const data = new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength);
    const key = `${type}[${dims.join(',')}]${numbers.length > 64 ? this.#initializers.length : numbers.join(',')}`;
    const known = this.#constants.get(key);
    if (known !== undefined) return known;
    const made = this.initializer({ name: this.names.fresh('constant'), type, dims, data });
    this.#constants.set(key, made);
    return made;
  }

  finish(name: string): GraphData {
    const nodes = [...this.#first, ...this.#nodes];
    const [initializers, inputs, outputs] = [this.#initializers, this.#inputs, this.#outputs];
    return tidy({ name, nodes, initializers, inputs, outputs }, (stem) => this.names.fresh(stem));
  }
}
