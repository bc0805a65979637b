import { GraphBuilder } from './builder.ts';
import type { Graph, Node, Value } from './types.ts';

/** The values that stand in a new graph for those of an old one. */
export type ValueMap = ReadonlyMap<number, Value>;

/** The value that stands for `value`. */
export function mapped(map: ValueMap, value: Value): Value {
  const found = map.get(value.id);
  if (found === undefined) throw new Error(`value ${value.id} is used before it is made`);
  return found;
}

/** Outputs that stand for those of a node, made with the builder; none leaves the node as it is. */
type Replace = (node: Node, inputs: Node['inputs'], derived: Derived) => Node['outputs'] | undefined;

/** A graph in the making, and what the values of the one that it is made from became. */
export interface Derived {
  readonly b: GraphBuilder;
  readonly map: ValueMap;
}

/** How a graph is made from another. */
interface DeriveOptions {
  /** That of the other when left out. */
  readonly name?: string;
  /** Which composites are made as what they are made of. */
  readonly opens?: (node: Node) => boolean;
  readonly replace?: Replace;
}

/** A graph with the nodes of another, in which some may be replaced; outputs and updates are the caller's. Values that nobody replaces stay. */
export function derive(graph: Graph, { name = graph.name, opens, replace }: DeriveOptions = {}): Derived {
  const b = new GraphBuilder(name, { opens, from: graph });
  const map = new Map<number, Value>();
  const derived: Derived = { b, map };
  for (const node of graph.nodes) {
    const inputs = mappedAll(map, node.inputs);
    const outputs = b.scope(node.scope, () => replace?.(node, inputs, derived) ?? b.keep(node, inputs));
    for (const [output, value] of Object.entries(node.outputs)) {
      const now = outputs[output];
      if (now !== undefined) map.set(value.id, now);
    }
  }
  return derived;
}

/** The same object where each value stands for itself. */
function mappedAll(map: ValueMap, values: Node['inputs']): Node['inputs'] {
  let changed: Record<string, Value> | undefined;
  for (const [name, value] of Object.entries(values)) {
    const now = mapped(map, value);
    if (now === value) continue;
    changed ??= { ...values };
    changed[name] = now;
  }
  return changed ?? values;
}

/** A graph with some nodes replaced, and the outputs and updates of the one that it is made from. */
export function rewrite(graph: Graph, options: DeriveOptions): Graph {
  const { b, map } = derive(graph, options);
  for (const [name, value] of Object.entries(graph.outputs)) b.output(name, mapped(map, value));
  for (const [name, value] of Object.entries(graph.updates)) b.update(name, mapped(map, value));
  return b.build();
}

/** The graph without the nodes that no output and no update needs. */
export function prune(graph: Graph): Graph {
  const wanted = new Set([...Object.values(graph.outputs), ...Object.values(graph.updates)].map((value) => value.id));
  const kept: Node[] = [];
  // A variable stays declared where it is only written.
  for (const node of graph.nodes) {
    if (node.op !== 'variable' || !Object.hasOwn(graph.updates, String(node.attrs['name']))) continue;
    for (const value of Object.values(node.outputs)) wanted.add(value.id);
  }
  for (const node of graph.nodes.toReversed()) {
    if (!Object.values(node.outputs).some((value) => wanted.has(value.id))) continue;
    for (const value of Object.values(node.inputs)) wanted.add(value.id);
    kept.push(node);
  }
  return Object.freeze({ ...graph, nodes: Object.freeze(kept.reverse()) });
}
