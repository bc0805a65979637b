import {
  type Attrs,
  BLOCKS,
  concreteShape,
  type DType,
  definitionOf,
  differentiate,
  elementCount,
  type Graph,
  GraphBuilder,
  type Shape,
  type Sizes,
  type Value,
} from '@receptance/core';
import { BLOCK_TOLERANCE, type Case, type Expected, type Numbers, TOLERANCES } from './case.ts';
import type { Tolerances } from './compare.ts';
import { Random } from './random.ts';
import { memorySource, type StoredTensor, store } from './weights.ts';

/** Numbers for a tensor of so many elements. */
export type Fill = (random: Random, elements: number) => ArrayLike<number>;

/** What stands at one input of an op under test: a leaf of the graph, and its numbers. */
export interface LeafSpec {
  readonly kind: 'input' | 'parameter';
  readonly dtype: DType;
  readonly shape: Shape;
  readonly fill: Fill;
}

/** One application of an op, as a line of a table. */
export interface OpSpec {
  readonly op: string;
  /** Tells it from the op's other cases; usually its sizes. */
  readonly name: string;
  readonly sizes?: Sizes;
  readonly attrs?: Attrs;
  /** By the op's own names; in the order in which their numbers are drawn. */
  readonly inputs: Readonly<Record<string, LeafSpec>>;
  /**
   * Rows of a state pool of so many slots in which the sequences' states lie: the states given are put there, and the
   * op is made as `stateRead → op → stateWrite`, which a device may fuse.
   */
  readonly pool?: { readonly slots: readonly number[]; readonly size: number };
  /** Results known without a reference. */
  readonly expected?: Readonly<Record<string, readonly number[]>>;
  readonly tolerances?: Tolerances;
  /** False where the op has a kink or a jump at these numbers, or no gradient worth a case. */
  readonly differentiable?: boolean;
}

export function normal(shape: Shape, scale = 1): LeafSpec {
  return leaf(shape, (random, n) => Float32Array.from({ length: n }, () => random.normal(scale)));
}

export function uniform(shape: Shape, low: number, high: number): LeafSpec {
  return leaf(shape, (random, n) => Float32Array.from({ length: n }, () => random.uniform(low, high)));
}

/** These numbers, again from the first when there are too few. */
export function given(shape: Shape, numbers: readonly number[]): LeafSpec {
  return leaf(shape, (_, n) => Float32Array.from({ length: n }, (__, i) => numbers[i % numbers.length] ?? 0));
}

export function integers(shape: Shape, numbers: readonly number[]): LeafSpec {
  const made = leaf(shape, (_, n) => Int32Array.from({ length: n }, (__, i) => numbers[i % numbers.length] ?? 0));
  return { ...made, dtype: 'i32' };
}

/** Whole numbers in [0, below). */
export function indices(shape: Shape, below: number): LeafSpec {
  return {
    ...leaf(shape, (random, n) => Int32Array.from({ length: n }, () => random.integer(below))),
    dtype: 'i32',
  };
}

/** The starts of sequences of these lengths. */
export function starts(lengths: readonly number[]): LeafSpec {
  return integers(['S+1'], startsOf(lengths));
}

export function startsOf(lengths: readonly number[]): number[] {
  let end = 0;
  return [0, ...lengths.map((length) => (end += length))];
}

/** The same numbers as a weight in a type of storage. */
export function weight(spec: LeafSpec, dtype: DType = 'f32'): LeafSpec {
  return { ...spec, kind: 'parameter', dtype };
}

function leaf(shape: Shape, fill: Fill): LeafSpec {
  return { kind: 'input', dtype: 'f32', shape, fill };
}

/** The case of a line of a table, its numbers drawn from its id. */
export function opCase(spec: OpSpec): Case {
  const id = `${spec.op}/f32/${spec.name}`;
  const graph = opGraph(id, spec);
  const expected: 'reference' | Expected = spec.expected === undefined ? 'reference' : { outputs: spec.expected };
  return { ...casePartsOf(id, spec, graph), expected };
}

/** A sum of terms that nearly cancel says nothing about the gradients beside it: in f32 only its absolute error counts. */
const LOSS: Tolerances = { f64: { nmse: 1e-24, maxAbs: 1e-11 }, f32: { nmse: 1, maxAbs: 1e-3 } };

/**
 * The case of the same op's gradients: of Σ y·up.y over its f32 outputs y, by all its f32 inputs. `undefined` for an op
 * or a line without gradients.
 */
export function gradientCase(spec: OpSpec): Case | undefined {
  const loss = lossCase(spec);
  const names = Object.entries(spec.inputs).flatMap(([name, { dtype }]) => (dtype === 'f32' ? [name] : []));
  if (loss === undefined || names.length === 0) return undefined;
  const graph = differentiate(loss.graph, 'loss', names);
  return { ...loss, graph, expected: 'reference', tolerancesOf: { loss: LOSS } };
}

/** What `gradientCase` differentiates: the op's outputs and the scalar `loss`. */
export function lossCase(spec: OpSpec): Case | undefined {
  if (spec.differentiable === false || spec.pool !== undefined || !isDifferentiable(spec.op)) return undefined;
  const id = `${spec.op}/gradient/${spec.name}`;
  const random = new Random(`${id}/up`);
  const graph = opGraph(id, spec, true);
  const up: Record<string, Numbers> = {};
  for (const [name, { dtype, shape }] of Object.entries(graph.outputs)) {
    if (dtype !== 'f32' || name === 'loss') continue;
    up[`up.${name}`] = Float32Array.from({ length: elementCount(shape, spec.sizes) }, () => random.normal());
  }
  const parts = casePartsOf(id, spec, graph);
  return { ...parts, inputs: { ...parts.inputs, ...up }, expected: 'reference' };
}

function isDifferentiable(op: string): boolean {
  const { kind, vjp } = definitionOf(op);
  return vjp !== undefined || kind === 'composite';
}

function casePartsOf(id: string, spec: OpSpec, graph: Graph): Omit<Case, 'expected'> {
  const random = new Random(`${spec.op}/${spec.name}`);
  const inputs: Record<string, Numbers> = {};
  const weights: Record<string, StoredTensor> = {};
  const states = definitionOf(spec.op).state ?? {};
  for (const [name, { kind, dtype, shape, fill }] of Object.entries(spec.inputs)) {
    const concrete = concreteShape(shape, spec.sizes ?? {});
    const numbers = fill(random, elementCount(concrete));
    if (spec.pool !== undefined && name in states) {
      const pool = poolOf(numbers, spec.pool, concrete, random);
      weights[`pool.${name}`] = store('f32', [spec.pool.size, ...concrete.slice(1)], pool);
    } else if (kind === 'parameter') weights[name] = store(dtype, concrete, numbers);
    else inputs[name] = dtype === 'i32' ? Int32Array.from(numbers) : Float32Array.from(numbers);
  }
  if (spec.pool !== undefined) inputs['slots'] = Int32Array.from(spec.pool.slots);
  return {
    ...{ id, graph, inputs, weights: memorySource(weights), sizes: spec.sizes ?? {} },
    ...(spec.pool === undefined ? {} : { limits: { Z: spec.pool.size } }),
    ...tolerancesOf(spec),
  };
}

function tolerancesOf({ op, inputs, tolerances }: OpSpec): Pick<Case, 'tolerances'> {
  const multiplies = op !== 'gather' && Object.values(inputs).some(({ dtype }) => BLOCKS[dtype].elements > 1);
  if (multiplies) return { tolerances: { ...(tolerances ?? TOLERANCES), f32: BLOCK_TOLERANCE } };
  return tolerances === undefined ? {} : { tolerances };
}

/** A pool with the given states in the rows of the slots, and others in the rows between. */
function poolOf(
  states: ArrayLike<number>,
  { slots, size }: { readonly slots: readonly number[]; readonly size: number },
  [, ...shape]: readonly number[],
  random: Random,
): Float32Array {
  const row = elementCount(shape);
  const pool = Float32Array.from({ length: size * row }, () => random.normal());
  slots.forEach((slot, s) => {
    for (let i = 0; i < row; i++) pool[slot * row + i] = states[s * row + i] ?? 0;
  });
  return pool;
}

/** @param withLoss adds inputs `up.<output>` and the scalar output `loss` */
function opGraph(name: string, spec: OpSpec, withLoss = false): Graph {
  const b = new GraphBuilder(name);
  const inputs: Record<string, Value> = {};
  for (const [port, { kind, dtype, shape }] of Object.entries(spec.inputs)) {
    const isState = spec.pool !== undefined && port in (definitionOf(spec.op).state ?? {});
    if (isState) inputs[port] = readPool(b, `pool.${port}`, shape);
    else if (kind === 'parameter') inputs[port] = b.parameter(port, dtype, shape);
    else inputs[port] = b.input(port, dtype === 'i32' ? 'i32' : 'f32', shape);
  }
  const outputs = b.insert(spec.op, inputs, spec.attrs ?? {});
  const pooled = new Map(Object.entries(definitionOf(spec.op).state ?? {}).map(([port, output]) => [output, port]));
  const terms: Value[] = [];
  for (const [output, value] of Object.entries(outputs)) {
    const port = pooled.get(output);
    if (spec.pool !== undefined && port !== undefined) {
      const pool = b.variable(`pool.${port}`, 'f32', ['Z', ...value.shape.slice(1)]);
      const slots = b.input('slots', 'i32', ['S']);
      b.update(`pool.${port}`, b.add('stateWrite', { pool, slots, value }).y);
    } else b.output(output, value);
    if (withLoss && value.dtype === 'f32') {
      const up = b.input(`up.${output}`, 'f32', value.shape);
      terms.push(
        b.reduce(
          'sum',
          b.binary('mul', value, up),
          value.shape.map((_, axis) => axis),
        ),
      );
    }
  }
  const [first, ...others] = terms;
  if (first !== undefined)
    b.output(
      'loss',
      others.reduce((sum, term) => b.binary('add', sum, term), first),
    );
  return b.build();
}

function readPool(b: GraphBuilder, name: string, shape: Shape): Value {
  const pool = b.variable(name, 'f32', ['Z', ...shape.slice(1)]);
  return b.add('stateRead', { pool, slots: b.input('slots', 'i32', ['S']) }).y;
}
