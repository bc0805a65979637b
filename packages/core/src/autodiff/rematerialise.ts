import { type Derived, mapped, prune, rewrite } from '../ir/rewrite.ts';
import { elementCount, symbolsOf } from '../ir/shape.ts';
import type { Graph, Node, Shape, Value } from '../ir/types.ts';
import { definitionOf } from '../ops/index.ts';
import { AGAIN } from './parts.ts';

/** Ops that go over their input once: what they make is sooner made again than a large memory is filled and read. */
const CHEAP: ReadonlySet<string> = new Set([
  ...['binary', 'unary', 'compare', 'select', 'cast', 'broadcast', 'reshape', 'slice', 'full'],
  ...['tokenShift', 'layerNorm', 'l2Norm'],
]);

/** No value is made again by more ops than this. */
const MOST_OPS = 24;

/** What the tokens of a run, and other symbols, count as where sizes are compared. */
const [TYPICAL_TOKENS, TYPICAL] = [2048, 16];

/** Fewer numbers than this are kept. */
const LEAST = 4096;

/**
 * Lets the backward part make values of the forward part again instead of keeping them for it: those that cheap ops make of
 * others which are kept anyway, or of fewer numbers than they have. The results are the same to the bit.
 *
 * @param graph a graph with gradients
 * @param forward ids of the values of its forward part
 */
export function rematerialise(graph: Graph, forward: ReadonlySet<number>): Graph {
  const producer = new Map(graph.nodes.flatMap((node) => Object.values(node.outputs).map(({ id }) => [id, node])));
  const dropped = droppedValues(graph, forward, producer);
  if (dropped.size === 0) return graph;
  const again = new Map<number, Value>();
  const replace = (node: Node, inputs: Node['inputs'], { b, map }: Derived): Node['outputs'] | undefined => {
    const remade = (value: Value): Value => {
      const made = again.get(value.id);
      if (made !== undefined) return made;
      const maker = producer.get(value.id);
      if (maker === undefined || !dropped.has(rootOf(value, producer).id)) return mapped(map, value);
      const from = Object.entries(maker.inputs).map(([name, input]) => [name, remade(input)]);
      const outputs = b.scope(AGAIN, () => b.insert(maker.op, Object.fromEntries(from), maker.attrs));
      for (const [name, { id }] of Object.entries(maker.outputs)) {
        const output = outputs[name];
        if (output !== undefined) again.set(id, output);
      }
      return remade(value);
    };
    const isForward = Object.values(node.outputs).some(({ id }) => forward.has(id));
    const reads = Object.entries(node.inputs);
    if (isForward || !reads.some(([, value]) => dropped.has(rootOf(value, producer).id))) return undefined;
    return b.insert(
      node.op,
      { ...inputs, ...Object.fromEntries(reads.map(([name, x]) => [name, remade(x)])) },
      node.attrs,
    );
  };
  return prune(rewrite(graph, { replace }));
}

/** What the backward part is to make again: values that it reads, and all between them and what is kept. */
function droppedValues(
  graph: Graph,
  forward: ReadonlySet<number>,
  producer: ReadonlyMap<number, Node>,
): ReadonlySet<number> {
  const kept = new Map<number, Value>();
  for (const node of graph.nodes) {
    if (Object.values(node.outputs).some(({ id }) => forward.has(id))) continue;
    for (const input of Object.values(node.inputs)) {
      const value = rootOf(input, producer);
      if (forward.has(value.id) && !isLeaf(value, producer)) kept.set(value.id, value);
    }
  }
  // What is given out is there anyway.
  const given = new Set(
    [...Object.values(graph.outputs), ...Object.values(graph.updates)].map((v) => rootOf(v, producer).id),
  );
  const dropped = new Set<number>();
  for (const node of graph.nodes.toReversed()) {
    for (const value of Object.values(node.outputs)) {
      if (!kept.has(value.id) || given.has(value.id) || sizeOf([value]) < LEAST) continue;
      kept.delete(value.id);
      const way = wayTo(value, producer, (id) => kept.has(id) || given.has(id));
      const more = way?.from.filter(({ id }) => !kept.has(id) && !given.has(id)) ?? [];
      if (way === undefined || sizeOf(more) >= sizeOf([value])) {
        kept.set(value.id, value);
        continue;
      }
      for (const each of more) kept.set(each.id, each);
      for (const id of way.made) dropped.add(id);
    }
  }
  return dropped;
}

interface Way {
  /** Ids of values that are made again. */
  readonly made: ReadonlySet<number>;
  /** What it begins with. */
  readonly from: readonly Value[];
}

/** How a value is made by cheap ops of leaves and of values that are kept; nothing if its own op is not cheap, or the way is long. */
function wayTo(value: Value, producer: ReadonlyMap<number, Node>, isKept: (id: number) => boolean): Way | undefined {
  const made = new Set<number>();
  const from = new Map<number, Value>();
  const waiting = [value];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const root = rootOf(next, producer);
    const node = producer.get(root.id);
    if (made.has(root.id) || node === undefined || isLeaf(root, producer)) continue;
    if (isKept(root.id) || !CHEAP.has(node.op)) {
      if (root.id === value.id) return undefined;
      from.set(root.id, root);
      continue;
    }
    made.add(root.id);
    if (made.size > MOST_OPS) return undefined;
    waiting.push(...Object.values(node.inputs));
  }
  return { made, from: [...from.values()] };
}

/** Of a view the value that it looks at. */
function rootOf(value: Value, producer: ReadonlyMap<number, Node>): Value {
  const node = producer.get(value.id);
  const viewed = node?.op === 'reshape' ? node.inputs['x'] : undefined;
  return viewed === undefined ? value : rootOf(viewed, producer);
}

function isLeaf({ id }: Value, producer: ReadonlyMap<number, Node>): boolean {
  const node = producer.get(id);
  return node !== undefined && definitionOf(node.op).kind === 'leaf';
}

function sizeOf(values: readonly Value[]): number {
  const typical = (shape: Shape): Readonly<Record<string, number>> =>
    Object.fromEntries(symbolsOf(shape).map((symbol) => [symbol, symbol === 'N' ? TYPICAL_TOKENS : TYPICAL]));
  return values.reduce((sum, { shape }) => sum + elementCount(shape, typical(shape)), 0);
}
