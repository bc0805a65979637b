import { type Derived, mapped, prune, rewrite } from '../ir/rewrite.ts';
import type { Graph, Node, Value } from '../ir/types.ts';
import { definitionOf } from '../ops/index.ts';
import type { Supports } from './lower.ts';

/** Where the state of one time op comes from and goes to. */
interface Fusion {
  readonly slots: Value;
  /** State input → pool it is read from. */
  readonly pools: ReadonlyMap<string, Value>;
}

/**
 * Turns `stateRead → time op → stateWrite` on one pool into the pooled form of the time op, which updates the pool in
 * place, wherever nothing else looks at the pool or the state and the device supports that form.
 */
export function fuseState(graph: Graph, supports: Supports): Graph {
  const index = indexGraph(graph);
  const fusions = new Map<Node, Fusion>();
  for (const node of graph.nodes) {
    const fusion = findFusion(node, index);
    if (fusion !== undefined && supports(pooled(node, fusion)) === true) fusions.set(node, fusion);
  }
  if (fusions.size === 0) return graph;

  const written = new Map<number, Value>();
  const replace = (node: Node, inputs: Node['inputs'], { b, map }: Derived): Node['outputs'] | undefined => {
    const fusion = fusions.get(node);
    if (fusion !== undefined) {
      const pools = [...fusion.pools].map(([name, pool]) => [name, mapped(map, pool)]);
      const slots = mapped(map, fusion.slots);
      const outputs = b.insert(node.op, { ...inputs, ...Object.fromEntries(pools), slots }, node.attrs);
      for (const [input, output] of Object.entries(definitionOf(node.op).state ?? {})) {
        const [from, to] = [node.outputs[output ?? ''], outputs[output ?? '']];
        if (from !== undefined && to !== undefined && fusion.pools.has(input)) written.set(from.id, to);
      }
      return outputs;
    }
    // A fused write: the pool after it is what the time op made of it.
    const value = node.op === 'stateWrite' ? node.inputs['value'] : undefined;
    const inPlace = value === undefined ? undefined : written.get(value.id);
    return inPlace === undefined ? undefined : { y: inPlace };
  };
  return prune(rewrite(graph, { replace }));
}

interface GraphIndex {
  readonly graph: Graph;
  readonly producer: ReadonlyMap<number, Node>;
  readonly consumers: ReadonlyMap<number, readonly Node[]>;
}

function indexGraph(graph: Graph): GraphIndex {
  const producer = new Map<number, Node>();
  const consumers = new Map<number, Node[]>();
  for (const node of graph.nodes) {
    for (const value of Object.values(node.outputs)) producer.set(value.id, node);
    for (const value of Object.values(node.inputs)) {
      const known = consumers.get(value.id);
      if (known === undefined) consumers.set(value.id, [node]);
      else known.push(node);
    }
  }
  return { graph, producer, consumers };
}

/** The node in its pooled form, with the types it would have. */
function pooled(node: Node, { slots, pools }: Fusion): Node {
  const outputs: Record<string, Value> = { ...node.outputs };
  for (const [input, output = ''] of Object.entries(definitionOf(node.op).state ?? {})) {
    const [pool, made] = [pools.get(input), outputs[output]];
    if (pool !== undefined && made !== undefined) outputs[output] = { ...made, shape: pool.shape };
  }
  return { ...node, inputs: { ...node.inputs, ...Object.fromEntries(pools), slots }, outputs };
}

function findFusion(node: Node, index: GraphIndex): Fusion | undefined {
  const state = definitionOf(node.op).state;
  if (state === undefined || node.inputs['slots'] !== undefined) return undefined;
  const pools = new Map<string, Value>();
  let slots: Value | undefined;
  for (const [input, output] of Object.entries(state)) {
    const found = readAndWritten(node, input, output ?? '', index);
    if (found === undefined || (slots !== undefined && found.slots.id !== slots.id)) return undefined;
    slots = found.slots;
    pools.set(input, found.pool);
  }
  return slots === undefined ? undefined : { slots, pools };
}

/** The pool that a state input is read from, if the matching output goes back there and nothing else touches either. */
function readAndWritten(
  node: Node,
  input: string,
  output: string,
  index: GraphIndex,
): { pool: Value; slots: Value } | undefined {
  const before = node.inputs[input];
  const after = node.outputs[output];
  if (before === undefined || after === undefined) return undefined;
  const read = index.producer.get(before.id);
  const [write, ...others] = index.consumers.get(after.id) ?? [];
  if (read?.op !== 'stateRead' || write?.op !== 'stateWrite' || others.length > 0) return undefined;
  const { pool, slots } = read.inputs;
  if (pool === undefined || slots === undefined) return undefined;
  const samePlace = write.inputs['pool']?.id === pool.id && write.inputs['slots']?.id === slots.id;
  const onlyReader = index.consumers.get(before.id)?.length === 1;
  const poolUsers = index.consumers.get(pool.id)?.every((user) => user === read || user === write) ?? false;
  const leaf = index.producer.get(pool.id);
  const updated =
    leaf?.op === 'variable' && index.graph.updates[String(leaf.attrs['name'])]?.id === write.outputs['y']?.id;
  const exposed = Object.values(index.graph.outputs).some(({ id }) => [before.id, after.id, pool.id].includes(id));
  return samePlace && onlyReader && poolUsers && updated && !exposed ? { pool, slots } : undefined;
}
