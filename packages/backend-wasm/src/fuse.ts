import {
  type Dim,
  definitionOf,
  type Node,
  type Plan,
  type Shape,
  type Storage,
  sameShape,
  type Value,
} from '@receptance/core';
import { type Axis, joinAxes, MAX_RANK, type Product } from './axes.ts';
import type { Encoder, Register } from './encoder.ts';
import type { WasmKernel } from './kernel.ts';
import { BINARY_FUNCTIONS, binary } from './kernels/binary.ts';
import { COMPARE_FUNCTIONS, compare } from './kernels/compare.ts';
import { select } from './kernels/select.ts';
import { UNARY_FUNCTIONS, unary } from './kernels/unary.ts';

/** Inputs and ops of a tape, below MOST of the crate. */
const MOST_OPS = 40;
const MOST_INPUTS = 20;

/** Where the functions of each op begin, as `fused.rs` numbers them. */
const FIRST = { unary: 0, binary: 16, compare: 32, select: 48 } as const;

/** Steps that run as one instruction. */
export interface FusedSteps {
  readonly nodes: readonly Node[];
  /** The shape of all that is made, in axes of which every node's own are products. */
  readonly shape: Shape;
  /** What is read from elsewhere, by how it lies. */
  readonly inputs: readonly FusedInput[];
  /** The values that somebody else reads too. */
  readonly stored: ReadonlySet<number>;
}

interface FusedInput {
  readonly value: Value;
  /** Of the node that reads it. */
  readonly within: Shape;
}

/** The function of a node that works on single elements, unless its kernel is somebody else's. */
function functionOf(node: Node, kernel: WasmKernel | undefined): number | undefined {
  const fn: unknown = node.attrs['fn'];
  const of = (table: Readonly<Record<string, number>>): number => table[String(fn)] ?? 0;
  if (node.op === 'unary' && same(kernel, unary)) return FIRST.unary + of(UNARY_FUNCTIONS);
  if (node.op === 'binary' && same(kernel, binary)) return FIRST.binary + of(BINARY_FUNCTIONS);
  if (node.op === 'select' && same(kernel, select)) return FIRST.select;
  const floats = Object.values(node.inputs).every(({ dtype }) => dtype === 'f32');
  return node.op === 'compare' && floats && same(kernel, compare) ? FIRST.compare + of(COMPARE_FUNCTIONS) : undefined;
}

function same(kernel: WasmKernel | undefined, own: unknown): boolean {
  return kernel === own;
}

/** Splits the steps of a plan into single ones and neighbours that go through memory together. */
export function fuseSteps(
  { steps, graph, copies, storage }: Plan,
  kernels: readonly WasmKernel[],
): (Node | FusedSteps)[] {
  const roots = viewedRoots(graph.nodes);
  const readers = new Map<number, Set<Node>>();
  const wanted = new Set(copies.map(({ from }) => rootOf(roots, from)));
  for (const node of steps) {
    for (const value of Object.values(node.inputs)) {
      const root = rootOf(roots, value);
      readers.set(root, (readers.get(root) ?? new Set()).add(node));
    }
  }
  const made: (Node | FusedSteps)[] = [];
  let open: OpenGroup | undefined;
  const close = (): void => {
    if (open !== undefined) made.push(...open.finish(readers, wanted));
    open = undefined;
  };
  steps.forEach((node, i) => {
    const fits = functionOf(node, kernels[i]) !== undefined;
    if (fits && open?.add(node)) return;
    close();
    if (!fits) made.push(node);
    else {
      open = new OpenGroup(storage, roots);
      if (open.add(node)) return;
      open = undefined;
      made.push(node);
    }
  });
  close();
  return made;
}

/** Neighbours found so far. */
class OpenGroup {
  readonly #storage: Plan['storage'];
  readonly #roots: ReadonlyMap<number, number>;
  readonly #nodes: Node[] = [];
  readonly #inputs = new Map<string, FusedInput>();
  readonly #made = new Set<number>();
  #shape: Shape = [];

  constructor(storage: Plan['storage'], roots: ReadonlyMap<number, number>) {
    this.#storage = storage;
    this.#roots = roots;
  }

  /** Takes in a node, if the group stays one. */
  add(node: Node): boolean {
    const output = node.outputs['y'];
    if (output === undefined || this.#nodes.length >= MOST_OPS) return false;
    const shape = this.#nodes.length === 0 ? withoutOnes(output.shape) : refined(this.#shape, output.shape);
    if (shape === undefined) return false;
    const more = this.#moreInputs(node, output.shape);
    if (this.#inputs.size + more.size > MOST_INPUTS) return false;
    const inputs = [...this.#inputs.values(), ...more.values()];
    if (shape.length > MAX_RANK && joinAxes(spaceOf(shape, inputs)).length > MAX_RANK) return false;
    // What is read in another order than it is written must not be written meanwhile.
    const reordered = inputs.filter(({ value, within }) => !sameShape(value.shape, within));
    if (reordered.some(({ value }) => samePlace(this.#storage.get(value.id), this.#storage.get(output.id))))
      return false;
    this.#shape = shape;
    this.#nodes.push(node);
    this.#made.add(rootOf(this.#roots, output));
    for (const [key, input] of more) this.#inputs.set(key, input);
    return true;
  }

  /** What a node reads that is neither made in the group nor read by it yet. */
  #moreInputs({ inputs }: Node, within: Shape): Map<string, FusedInput> {
    const more = new Map<string, FusedInput>();
    for (const value of Object.values(inputs)) {
      if (this.#made.has(rootOf(this.#roots, value))) continue;
      const key = inputKey(value, within);
      if (!this.#inputs.has(key)) more.set(key, { value, within });
    }
    return more;
  }

  finish(readers: ReadonlyMap<number, ReadonlySet<Node>>, wanted: ReadonlySet<number>): (Node | FusedSteps)[] {
    const [first, second] = this.#nodes;
    if (second === undefined && first !== undefined && (first.op === 'unary' || first.op === 'binary')) return [first];
    const own = new Set(this.#nodes);
    const stored = new Set<number>();
    for (const node of this.#nodes) {
      const y = node.outputs['y'];
      if (y === undefined) continue;
      const root = rootOf(this.#roots, y);
      const others = [...(readers.get(root) ?? [])].some((reader) => !own.has(reader));
      if (others || wanted.has(root) || this.#storage.get(y.id)?.kind !== 'buffer') stored.add(y.id);
    }
    return [{ nodes: this.#nodes, shape: this.#shape, inputs: [...this.#inputs.values()], stored }];
  }
}

/** Writes the tape of a group. */
export function encodeFused(
  { nodes, shape, inputs, stored }: FusedSteps,
  kernelOf: (node: Node) => WasmKernel | undefined,
  e: Encoder,
  roots: ReadonlyMap<number, number>,
): void {
  const joined = joinAxes(spaceOf(shape, inputs));
  const axes: readonly Axis[] = joined.length > 0 ? joined : [{ size: [], strides: inputs.map(() => 0) }];
  const stride = (product: Product | 0): Register => (product === 0 ? e.word(0) : e.size(...product));
  const slots = new Map(inputs.map(({ value, within }, i) => [inputKey(value, within), i]));
  const results = new Map<number, number>();
  const lastRead = new Map<number, Node>();
  for (const node of nodes) for (const value of Object.values(node.inputs)) lastRead.set(rootOf(roots, value), node);
  const free: number[] = [];
  let buffers = inputs.length;
  const held = new Map<number, number>();
  const ops = nodes.flatMap((node): Register[] => {
    const y = node.outputs['y'];
    if (y === undefined) return [];
    const read = Object.values(operandsOf(node)).map((value) => {
      const result = results.get(rootOf(roots, value));
      return e.word(result ?? slots.get(inputKey(value, y.shape)) ?? 0);
    });
    const isStored = stored.has(y.id);
    const buffer = isStored ? 0 : (free.pop() ?? buffers++);
    for (const value of Object.values(node.inputs)) {
      const root = rootOf(roots, value);
      const done = held.get(root);
      if (done === undefined || lastRead.get(root) !== node) continue;
      held.delete(root);
      free.push(done);
    }
    if (!isStored) held.set(rootOf(roots, y), buffer);
    results.set(rootOf(roots, y), inputs.length + results.size);
    const [a, b = a, c = a] = read;
    const operands = [a, b, c].map((register) => register ?? e.word(0));
    const fn = functionOf(node, kernelOf(node)) ?? 0;
    return [e.word(fn), ...operands, e.word(buffer), isStored ? e.reference(e.address(y)) : e.word(0)];
  });
  const tape = e.table([
    ...[e.word(axes.length), ...axes.map(({ size }) => e.size(...size)), e.word(inputs.length)],
    ...inputs.flatMap(({ value }, i) => [
      e.reference(e.address(value)),
      ...axes.map(({ strides }) => stride(strides[i] ?? 0)),
    ]),
    ...[e.word(nodes.length), ...ops],
  ]);
  e.emit('fused', {
    ...{ tape, scratch: e.scratchFor('fused', buffers), buffers: e.word(buffers) },
    ...{ ops: e.word(nodes.length), count: e.size(...shape) },
  });
}

/** The operands in the order of the crate. */
function operandsOf({ op, inputs }: Node): Value[] {
  const names = Object.keys(definitionOf(op).inputs);
  return names.flatMap((name) => inputs[name] ?? []);
}

/** Of each value the one whose memory it is. */
export function viewedRoots(nodes: readonly Node[]): ReadonlyMap<number, number> {
  const roots = new Map<number, number>();
  for (const { op, inputs, outputs } of nodes) {
    const [x, y] = [inputs['x'], outputs['y']];
    if (op === 'reshape' && x && y) roots.set(y.id, rootOf(roots, x));
  }
  return roots;
}

function rootOf(roots: ReadonlyMap<number, number>, { id }: Value): number {
  return roots.get(id) ?? id;
}

function samePlace(a: Storage | undefined, b: Storage | undefined): boolean {
  if (a?.kind === 'buffer' && b?.kind === 'buffer') return a.index === b.index;
  return a?.kind === b?.kind && JSON.stringify(a) === JSON.stringify(b);
}

function inputKey({ id, shape }: Value, within: Shape): string {
  return sameShape(shape, within) ? `${id}` : `${id} in ${within.join(' ')}`;
}

function withoutOnes(shape: Shape): Shape {
  return shape.filter((dim) => dim !== 1);
}

/** Axes of which those of both shapes are products: [N, C] and [N, H, D] give [N, H, D]. None for another number of elements. */
export function refined(a: Shape, b: Shape): Shape | undefined {
  const [left, right] = [[...withoutOnes(a)], [...withoutOnes(b)]];
  const axes: Dim[] = [];
  while (left.length > 0 && right.length > 0) {
    const [x = 1, y = 1] = [left.shift(), right.shift()];
    if (x === y) axes.push(x);
    else if (typeof x !== 'number' || typeof y !== 'number' || x === 0 || y === 0) return undefined;
    else if (x % y === 0) {
      axes.push(y);
      left.unshift(x / y);
    } else if (y % x === 0) {
      axes.push(x);
      right.unshift(y / x);
    } else return undefined;
  }
  return left.length === 0 && right.length === 0 ? axes : undefined;
}

/** The index space of a shape, and where inputs lie in it that broadcast to shapes of which it is a refinement. */
function spaceOf(shape: Shape, inputs: readonly FusedInput[]): Axis[] {
  const strides = inputs.map(({ value, within }) => stridesIn(shape, value.shape, within));
  return shape.map((size, axis) => ({ size: [size], strides: strides.map((of) => of[axis] ?? 0) }));
}

function stridesIn(shape: Shape, operand: Shape, within: Shape): (Product | 0)[] {
  const found: (Product | 0)[] = [];
  let axis = 0;
  within.forEach((dim, i) => {
    if (dim === 1) return;
    const own = i - within.length + operand.length;
    const stride = own < 0 || operand[own] === 1 ? 0 : operand.slice(own + 1);
    // The axes of the shape whose product is this one.
    const parts: Dim[] = [];
    for (let rest = dim; rest !== 1; axis++) {
      const part = shape[axis] ?? 1;
      parts.push(part);
      rest = typeof rest === 'number' && typeof part === 'number' && part !== 0 ? rest / part : 1;
    }
    parts.forEach((_, k) => {
      found.push(stride === 0 ? 0 : [...parts.slice(k + 1), ...stride]);
    });
  });
  return found;
}
