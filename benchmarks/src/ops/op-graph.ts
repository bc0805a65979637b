import {
  decompose,
  definitionOf,
  type Graph,
  GraphBuilder,
  type Node,
  ReceptanceError,
  type Value,
} from '@receptance/core';

/** All nodes of one kind out of a model's graph, each given inputs of its own: what they take is what the kernel takes. */
export interface OpGraph {
  /** The op, and of those with weights how they are stored. */
  readonly label: string;
  readonly graph: Graph;
  readonly nodes: readonly Node[];
}

/** One graph for every kind of node that a device makes of a model's graph. */
export function opGraphs(graph: Graph, supports: (node: Node) => true | string): OpGraph[] {
  const lowered = decompose(graph, (node) => supports(node) === true);
  const kinds = Map.groupBy(lowered.nodes.filter(isMeasured), labelOf);
  return [...kinds].map(([label, nodes]) => ({ label, nodes, graph: isolated(label, lowered, nodes) }));
}

/** Nodes that do the same with tensors of the same shapes: some of them as a graph, standing for all. */
export interface OpSample extends OpGraph {
  /** How many nodes one node of the graph stands for. */
  readonly share: number;
}

/** Samples of a lowered graph that is too large for all its nodes to have inputs of their own. */
export function opSamples(lowered: Graph, most = 8): OpSample[] {
  const alike = Map.groupBy(lowered.nodes.filter(isMeasured), ({ op, attrs, inputs, outputs }) => {
    const shapes = [inputs, outputs].map((values) => Object.values(values).map(({ shape }) => shape));
    return JSON.stringify([op, attrs, shapes]);
  });
  return [...alike.values()].flatMap((nodes) => {
    const chosen = nodes.slice(0, most);
    const [first] = chosen;
    if (first === undefined) return [];
    const graph = isolated(first.op, lowered, chosen);
    return { label: first.op, nodes: chosen, graph, share: nodes.length / chosen.length };
  });
}

/**
 * The nodes of one op as a graph, whether a device has a kernel for it as a whole or not.
 * @throws ReceptanceError `BAD_OPTION` when the model's graph has none
 */
export function opGraph(graph: Graph, op: string): OpGraph {
  const opened = decompose(graph, (node) => node.op === op);
  const nodes = opened.nodes.filter((node) => node.op === op);
  if (nodes.length > 0) return { label: op, nodes, graph: isolated(op, opened, nodes) };
  const others = [...new Set(opened.nodes.filter(isMeasured).map((node) => node.op))];
  throw new ReceptanceError('BAD_OPTION', `${graph.name} has no ${op}`, { hint: `it has ${others.join(', ')}` });
}

/** Views and leaves cost nothing; states are read and written with the op whose states they are. */
function isMeasured({ op }: Node): boolean {
  return definitionOf(op).kind !== 'leaf' && !['reshape', 'stateRead', 'stateWrite', 'full'].includes(op);
}

function labelOf({ op, inputs }: Node): string {
  const weights = Object.values(inputs).filter(({ dtype }) => dtype !== 'f32' && dtype !== 'i32');
  return [op, ...new Set(weights.map(({ dtype }) => dtype))].join(' ');
}

function isolated(label: string, graph: Graph, nodes: readonly Node[]): Graph {
  const producers = new Map(
    graph.nodes.flatMap((node) => Object.values(node.outputs).map((value) => [value.id, node] as const)),
  );
  const writers = new Map(
    graph.nodes.flatMap((node) => {
      const value = node.op === 'stateWrite' ? node.inputs['value'] : undefined;
      return value === undefined ? [] : [[value.id, node] as const];
    }),
  );
  const b = new GraphBuilder(`${graph.name}.${label}`);
  const known = new Map<number, Value>();
  const given = (value: Value): Value => {
    const made = known.get(value.id) ?? make(value);
    known.set(value.id, made);
    return made;
  };
  const make = (value: Value): Value => {
    const node = producers.get(value.id);
    // What lies in memory as it is, and how states come out of their pools, is part of the op's form.
    const kept =
      node !== undefined &&
      (definitionOf(node.op).kind === 'leaf' || ['reshape', 'stateRead', 'full'].includes(node.op));
    if (!kept) return b.input(`in.${value.id}`, value.dtype === 'i32' ? 'i32' : 'f32', value.shape);
    const outputs = b.insert(node.op, mapped(node.inputs, given), node.attrs);
    return Object.values(outputs)[0] ?? value;
  };
  nodes.forEach((node, i) => {
    for (const [name, value] of Object.entries(b.insert(node.op, mapped(node.inputs, given), node.attrs))) {
      const writer = writers.get(node.outputs[name]?.id ?? -1);
      const { pool, slots } = writer?.inputs ?? {};
      if (pool === undefined || slots === undefined) b.output(`out.${i}.${name}`, value);
      else {
        const variable = String(producers.get(pool.id)?.attrs['name']);
        b.update(variable, b.add('stateWrite', { pool: given(pool), slots: given(slots), value }).y);
      }
    }
  });
  return b.build();
}

function mapped(values: Node['inputs'], fn: (value: Value) => Value): Record<string, Value> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, fn(value)]));
}
