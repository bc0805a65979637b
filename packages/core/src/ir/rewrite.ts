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

/**
 * Copies a graph into a builder node by node; `replace` may give other outputs for a node, made with the builder.
 * Returns what each old value became; graph outputs and updates are the caller's.
 */
export function copyNodes(
  graph: Graph,
  b: GraphBuilder,
  replace: (node: Node, inputs: Node['inputs'], map: ValueMap) => Node['outputs'] | undefined,
): ValueMap {
  const map = new Map<number, Value>();
  for (const node of graph.nodes) {
    b.scope(node.scope, () => {
      const inputs: Record<string, Value> = {};
      for (const [name, value] of Object.entries(node.inputs)) inputs[name] = mapped(map, value);
      const outputs = replace(node, inputs, map) ?? b.copy(node, inputs);
      for (const [name, value] of Object.entries(node.outputs)) {
        const output = outputs[name];
        if (output !== undefined) map.set(value.id, output);
      }
    });
  }
  return map;
}

/**
 * A graph with some nodes replaced.
 * @param opens which composites are made as what they are made of
 */
export function rewrite(
  graph: Graph,
  replace: (node: Node, inputs: Node['inputs'], b: GraphBuilder) => Node['outputs'] | undefined,
  opens?: (node: Node) => boolean,
): Graph {
  const b = new GraphBuilder(graph.name, opens);
  const map = copyNodes(graph, b, (node, inputs) => replace(node, inputs, b));
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
