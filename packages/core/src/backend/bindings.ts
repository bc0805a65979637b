import { ReceptanceError } from '../errors.ts';
import { elementCount, formatType, symbolsOf } from '../ir/shape.ts';
import { type Graph, leaves, type Sizes, type Value } from '../ir/types.ts';
import type { Bindings, DeviceBuffer, Loop } from './contract.ts';

/** One step and no more: what `run` does without a loop. */
export const ONCE: Loop = { steps: 1, carry: {}, feed: [], collect: [] };

/**
 * Holds what a run is given against its graph.
 * @param limits sizes compiled for; those of the symbols of variables are exact
 * @param variables the buffers of the parameters: a run reaches them by itself
 * @returns the size of every symbol
 * @throws ReceptanceError `BAD_BINDINGS`
 */
export function checkBindings(
  graph: Graph,
  limits: Sizes,
  bindings: Bindings,
  loop: Loop = ONCE,
  variables: Iterable<DeviceBuffer> = [],
): Sizes {
  const sizes = checkSizes(graph, limits, bindings.sizes);
  checkLoop(graph, loop, sizes);
  const read = new Set<DeviceBuffer>();
  const written = new Set<DeviceBuffer>(variables);
  for (const [name, value] of needsOf(graph).inputs) {
    const steps = loop.feed.includes(name) ? loop.steps : 1;
    const buffer = checkBuffer('input', name, value, bindings.inputs[name], sizes, steps);
    const carried = Object.hasOwn(loop.carry, name);
    if (written.has(buffer) || (carried && read.has(buffer))) throw alias('input', name);
    read.add(buffer);
    if (carried) written.add(buffer);
  }
  for (const [name, value] of Object.entries(graph.outputs)) {
    const steps = loop.collect.includes(name) ? loop.steps : 1;
    const buffer = checkBuffer('output', name, value, bindings.outputs[name], sizes, steps);
    if (read.has(buffer) || written.has(buffer)) throw alias('output', name);
    written.add(buffer);
  }
  return sizes;
}

function alias(kind: 'input' | 'output', name: string): ReceptanceError {
  return bad(
    `${kind} ${name} is bound to a buffer that is written otherwise, or bound already`,
    'give each its own buffer',
  );
}

/** What the runs of a graph are given. */
interface Needs {
  readonly symbols: ReadonlySet<string>;
  /** Symbols whose size is fixed: those of variables. */
  readonly fixed: ReadonlySet<string>;
  readonly inputs: ReadonlyMap<string, Value>;
}

/** Found once a graph: looking at every node takes longer than a small model's decode step. */
const needs = new WeakMap<Graph, Needs>();

function needsOf(graph: Graph): Needs {
  const known = needs.get(graph);
  if (known !== undefined) return known;
  const shapes = graph.nodes.flatMap((node) => Object.values(node.outputs).map(({ shape }) => shape));
  const variables = [...leaves(graph, 'variable').values()];
  const found: Needs = {
    symbols: new Set(shapes.flatMap(symbolsOf)),
    fixed: new Set(variables.flatMap(({ shape }) => symbolsOf(shape))),
    inputs: leaves(graph, 'input'),
  };
  needs.set(graph, found);
  return found;
}

function checkSizes(graph: Graph, limits: Sizes, given: Sizes): Sizes {
  const sizes: Record<string, number> = {};
  const { symbols, fixed } = needsOf(graph);
  for (const symbol of symbols) {
    const limit = limits[symbol];
    const size = given[symbol] ?? (fixed.has(symbol) ? limit : undefined);
    if (size === undefined || limit === undefined) throw bad(`symbol ${symbol} has no size`, 'bind it in sizes');
    if (fixed.has(symbol) && size !== limit)
      throw bad(`${symbol} = ${size}, but ${limit} since the parameters were loaded`);
    if (!Number.isSafeInteger(size) || size < 0 || size > limit) {
      throw bad(`${symbol} = ${size} lies outside 0…${limit}`, 'compile with larger limits, or run in smaller pieces');
    }
    sizes[symbol] = size;
  }
  return sizes;
}

function checkLoop(graph: Graph, loop: Loop, sizes: Sizes): void {
  if (!Number.isSafeInteger(loop.steps) || loop.steps < 1) throw bad(`${loop.steps} steps`, 'loop.steps is at least 1');
  const { inputs } = needsOf(graph);
  for (const [to, from] of Object.entries(loop.carry)) {
    const [input, output] = [inputs.get(to), graph.outputs[from]];
    const fits =
      input !== undefined &&
      output !== undefined &&
      input.dtype === output.dtype &&
      elementCount(input.shape, sizes) === elementCount(output.shape, sizes);
    if (!fits || loop.feed.includes(to))
      throw bad(`output ${from} cannot be carried to input ${to}`, 'they must be of one dtype and size');
  }
  for (const name of loop.feed) if (!inputs.has(name)) throw bad(`fed input ${name} does not exist`);
  for (const name of loop.collect)
    if (!Object.hasOwn(graph.outputs, name)) throw bad(`collected output ${name} does not exist`);
}

function checkBuffer(
  kind: 'input' | 'output',
  name: string,
  value: Value,
  buffer: DeviceBuffer | undefined,
  sizes: Sizes,
  steps: number,
): DeviceBuffer {
  if (buffer === undefined) throw bad(`${kind} ${name} is not bound`, `it is ${formatType(value)}`);
  if (buffer.dtype !== value.dtype) throw bad(`${kind} ${name} is ${value.dtype}, its buffer ${buffer.dtype}`);
  const needed = steps * elementCount(value.shape, sizes);
  if (buffer.elements < needed) {
    throw bad(`the buffer of ${kind} ${name} has room for ${buffer.elements} elements, ${needed} are needed`);
  }
  return buffer;
}

function bad(message: string, hint = 'see Device.run'): ReceptanceError {
  return new ReceptanceError('BAD_BINDINGS', message, { hint });
}
