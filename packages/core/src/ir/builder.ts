import { ReceptanceError } from '../errors.ts';
import type { BinaryFn } from '../ops/binary.ts';
import type { CompareFn } from '../ops/compare.ts';
import { definitionOf, type OpName, type SignatureOf } from '../ops/index.ts';
import type { ReduceFn } from '../ops/reduce.ts';
import type { UnaryFn } from '../ops/unary.ts';
import type { DType } from '../weights/weights.ts';
import type { InputsOf, OutputsOf, Signature } from './definition.ts';
import { badOp, bindPorts, checkAttrs, outputType } from './patterns.ts';
import { checkShape, formatType, sameShape } from './shape.ts';
import { instantiate, type Template, templateKey } from './template.ts';
import type { Attrs, Graph, Node, Shape, TensorType, Value } from './types.ts';

type LeafOp = 'input' | 'parameter' | 'variable';

interface Leaf {
  readonly op: LeafOp;
  readonly value: Value;
}

interface BuilderOptions {
  /** Which composites are made as what they are made of. */
  readonly opens?: ((node: Node) => boolean) | undefined;
  /** A graph whose nodes are taken over by `keep`: new values get other ids than its own. */
  readonly from?: Graph | undefined;
}

/**
 * Makes graphs. `add` is the only way to make a node: it checks the inputs against the op's ports and runs its `infer`
 * there and nowhere else, so a wrong shape fails at the line that made it, with op, shapes and scope.
 */
export class GraphBuilder {
  readonly name: string;
  #nodes: Node[] = [];
  #leaves = new Map<string, Leaf>();
  /** Values of other graphs have no meaning here. */
  #own = new Set<Value>();
  #outputs: Record<string, Value> = {};
  #updates: Record<string, Value> = {};
  #scope = '';
  #nextId: number;
  readonly #templates = new Map<string, Template>();
  readonly #opens: (node: Node) => boolean;

  constructor(name: string, { opens = () => false, from }: BuilderOptions = {}) {
    this.name = name;
    this.#opens = opens;
    this.#nextId = from === undefined ? 0 : freeId(from);
  }

  /** Makes the nodes of `body` under `name` inside the current scope. */
  scope<T>(name: string, body: () => T): T {
    const outer = this.#scope;
    this.#scope = outer === '' || name === '' ? outer + name : `${outer}.${name}`;
    try {
      return body();
    } finally {
      this.#scope = outer;
    }
  }

  /**
   * Applies an op.
   * @throws ReceptanceError `BAD_OP` when inputs or attributes break the op's rules.
   */
  add<Op extends OpName>(
    op: Op,
    inputs: InputsOf<SignatureOf<Op>>,
    ...attrs: keyof SignatureOf<Op>['attrs'] extends never ? [] : [SignatureOf<Op>['attrs']]
  ): OutputsOf<SignatureOf<Op>> {
    return this.insert(op, inputs, attrs[0] ?? {}) as OutputsOf<SignatureOf<Op>>;
  }

  /** `add` for passes over graphs, which know ops only by their names. */
  insert(op: string, inputs: Readonly<Record<string, Value | undefined>>, attrs: Attrs): Node['outputs'] {
    try {
      return this.#insert(op, inputs, attrs);
    } catch (error) {
      if (!ReceptanceError.isInstance(error)) throw error;
      const shapes = Object.entries(inputs).flatMap(([name, value]) =>
        value ? [`${name}: ${formatType(value)}`] : [],
      );
      const where = this.#scope === '' ? '' : ` in ${this.#scope}`;
      throw new ReceptanceError(error.code, `${op}${where}: ${error.message}; got (${shapes.join(', ')})`, {
        ...(error.hint === undefined ? {} : { hint: error.hint }),
        cause: error,
      });
    }
  }

  /**
   * A node of the graph that this one is made from: itself, or, if other values stand for its inputs, one that makes the same
   * values of them. It was checked there; only inputs of other types are looked at anew, as by `insert`.
   */
  keep(node: Node, inputs: Node['inputs']): Node['outputs'] {
    const isSame = inputs === node.inputs;
    for (const name of Object.keys(node.inputs)) {
      const [before, now] = [node.inputs[name], inputs[name]];
      const fits = now !== undefined && (now === before || (before !== undefined && sameType(now, before)));
      if (!fits) return this.insert(node.op, inputs, node.attrs);
      if (!this.#own.has(now)) throw badOp(`input ${name} is a value of another graph`);
    }
    return this.#append(isSame ? node : Object.freeze({ ...node, inputs: Object.freeze(inputs) }));
  }

  #insert(op: string, inputs: Readonly<Record<string, Value | undefined>>, attrs: Attrs): Node['outputs'] {
    const definition = definitionOf(op);
    checkAttrs(definition, attrs);
    for (const [name, value] of Object.entries(inputs)) {
      if (value !== undefined && !this.#own.has(value)) throw badOp(`input ${name} is a value of another graph`);
    }
    const dims = bindPorts(definition, inputs);
    const inferred: Readonly<Record<string, TensorType | undefined>> =
      definition.infer?.(inputs as InputsOf<never>, attrs, dims) ?? {};
    const types: Record<string, TensorType> = {};
    for (const [name, port] of Object.entries(definition.outputs)) {
      const type = inferred[name] ?? outputType(definition, inputs, name, port, dims);
      if (type === undefined) throw badOp(`no rule gives the shape of output ${name}`);
      checkShape(type.shape);
      types[name] = { dtype: type.dtype, shape: Object.freeze([...type.shape]) };
    }
    const present: Record<string, Value> = {};
    for (const [name, value] of Object.entries(inputs)) if (value !== undefined) present[name] = value;
    const outputs: Record<string, Value> = {};
    for (const [name, { dtype, shape }] of Object.entries(types)) {
      outputs[name] = Object.freeze({ id: this.#nextId++, dtype, shape });
    }
    return this.#append(
      Object.freeze({
        ...{ op, inputs: Object.freeze(present), attrs: frozenAttrs(attrs), outputs: Object.freeze(outputs) },
        scope: this.#scope,
      }),
    );
  }

  /** A node whose parts are right and will not change. */
  #append(node: Node): Node['outputs'] {
    const { op, inputs, attrs, outputs } = node;
    const { decompose } = definitionOf(op);
    if (decompose !== undefined && this.#opens(node)) {
      return this.scope(op, () => this.#open(node, () => decompose(this, inputs, attrs)));
    }
    if (isLeafOp(op)) this.#declare(op, String(attrs['name']), outputs['y']);
    return this.#push(node);
  }

  /** What a composite is made of: blocks of a model are alike, and looked at once. */
  #open({ op, inputs, attrs }: Node, decompose: () => OutputsOf<Signature>): Node['outputs'] {
    const key = templateKey(op, inputs, attrs);
    const known = this.#templates.get(key);
    if (known !== undefined) {
      return instantiate(
        known,
        inputs,
        this.#scope,
        (node) => this.#push(node),
        () => this.#nextId++,
      );
    }
    const first = this.#nodes.length;
    const outputs = decompose();
    const nodes = this.#nodes.slice(first);
    // A leaf is there once.
    if (!nodes.some((node) => isLeafOp(node.op))) {
      this.#templates.set(key, { inputs, nodes, outputs, scope: this.#scope });
    }
    return outputs;
  }

  #push(node: Node): Node['outputs'] {
    const { outputs } = node;
    for (const value of Object.values(outputs)) this.#own.add(value);
    this.#nodes.push(node);
    return outputs;
  }

  #declare(op: LeafOp, name: string, value: Value | undefined): void {
    checkName(name);
    if (this.#leaves.has(name)) throw badOp(`${name} is declared already`, 'use one name for one tensor');
    if (value !== undefined) this.#leaves.set(name, { op, value });
  }

  /** What a run is given by name. */
  input(name: string, dtype: 'f32' | 'i32', shape: Shape): Value {
    return this.#leaf('input', name, dtype, shape);
  }

  /** A frozen weight. Its dtype is how it is stored; asking again for the same name gives the same value. */
  parameter(name: string, dtype: DType, shape: Shape): Value {
    return this.#leaf('parameter', name, dtype, shape);
  }

  /** A tensor that lives on the device between runs and that a graph may update: state pools, trained weights. */
  variable(name: string, dtype: 'f32' | 'i32', shape: Shape): Value {
    return this.#leaf('variable', name, dtype, shape);
  }

  #leaf(op: LeafOp, name: string, dtype: DType, shape: Shape): Value {
    const known = this.#leaves.get(name);
    if (known !== undefined) {
      const { value } = known;
      if (known.op === op && value.dtype === dtype && sameShape(value.shape, shape)) return value;
      throw new ReceptanceError('BAD_OP', `${op} ${name} was declared as ${known.op} ${formatType(value)} before`, {
        hint: `now asked for as ${formatType({ dtype, shape })}; use one name for one tensor`,
      });
    }
    return this.add(op, {}, { name, dtype, shape }).y;
  }

  constant(data: readonly number[], dtype: 'f32' | 'i32' = 'f32', shape: readonly number[] = [data.length]): Value {
    return this.add('constant', {}, { data, dtype, shape }).y;
  }

  full(value: number, shape: Shape): Value {
    return this.add('full', {}, { value, shape }).y;
  }

  unary(fn: UnaryFn, x: Value): Value {
    return this.add('unary', { x }, { fn }).y;
  }

  /** Operands broadcast, axes aligned at the right; a number stands for a scalar. */
  binary(fn: BinaryFn, a: Value | number, b: Value | number): Value {
    return this.add('binary', { a: this.#scalar(a, b), b: this.#scalar(b, a) }, { fn }).y;
  }

  compare(fn: CompareFn, a: Value | number, b: Value | number): Value {
    return this.add('compare', { a: this.#scalar(a, b), b: this.#scalar(b, a) }, { fn }).y;
  }

  /** A number becomes a scalar of the other operand's dtype. */
  #scalar(x: Value | number, other: Value | number): Value {
    if (typeof x !== 'number') return x;
    const asInteger = typeof other !== 'number' && other.dtype === 'i32';
    return asInteger ? this.constant([x], 'i32', []) : this.full(x, []);
  }

  reduce(fn: ReduceFn, x: Value, axes: readonly number[], keepDims = false): Value {
    return this.add('reduce', { x }, { fn, axes, keepDims }).y;
  }

  reshape(x: Value, shape: Shape): Value {
    return sameShape(x.shape, shape) ? x : this.add('reshape', { x }, { shape }).y;
  }

  broadcast(x: Value, shape: Shape): Value {
    return sameShape(x.shape, shape) ? x : this.add('broadcast', { x }, { shape }).y;
  }

  /** `x @ wᵀ` for a weight stored `[out, in]`, or `x @ w` for one stored `[in, out]` (`transposed`). */
  linear(x: Value, w: Value, transposed = false): Value {
    return this.add('linear', { x, w }, { transposed }).y;
  }

  output(name: string, value: Value): void {
    checkName(name);
    if (!this.#own.has(value)) throw badOp(`output ${name} is a value of another graph`);
    this.#outputs[name] = value;
  }

  /** Declares the new value of a variable, of the variable's own type. */
  update(name: string, value: Value): void {
    const leaf = this.#leaves.get(name);
    const variable = leaf?.op === 'variable' ? leaf.value : undefined;
    const fits = variable && variable.dtype === value.dtype && sameShape(variable.shape, value.shape);
    if (!fits || !this.#own.has(value)) {
      const declared = variable === undefined ? 'is not a variable of this graph' : `is ${formatType(variable)}`;
      throw new ReceptanceError('BAD_OP', `cannot update ${name} by ${formatType(value)}: it ${declared}`, {
        hint: 'declare it with variable(), and keep its type',
      });
    }
    this.#updates[name] = value;
  }

  build(): Graph {
    return Object.freeze({
      name: this.name,
      nodes: Object.freeze([...this.#nodes]),
      outputs: Object.freeze({ ...this.#outputs }),
      updates: Object.freeze({ ...this.#updates }),
    });
  }
}

function sameType(a: TensorType, b: TensorType): boolean {
  return a.dtype === b.dtype && sameShape(a.shape, b.shape);
}

/** Above the ids of all values. */
function freeId(graph: Graph): number {
  let free = 0;
  for (const { outputs } of graph.nodes) for (const { id } of Object.values(outputs)) free = Math.max(free, id + 1);
  return free;
}

function isLeafOp(op: string): op is LeafOp {
  return op === 'input' || op === 'parameter' || op === 'variable';
}

/** Names are keys of plain objects: those that every object has are refused. */
function checkName(name: string): void {
  if (name === '' || name in {}) throw badOp(`"${name}" cannot be a name`, 'choose another');
}

function frozenAttrs(attrs: Attrs): Attrs {
  const copies = Object.entries(attrs).map(([name, attr]) => [
    name,
    Array.isArray(attr) ? Object.freeze([...attr]) : attr,
  ]);
  return Object.freeze(Object.fromEntries(copies));
}
