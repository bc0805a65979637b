import type { Part } from '../autodiff/parts.ts';
import { ReceptanceError } from '../errors.ts';
import type { Graph, Node, Sizes, Value } from '../ir/types.ts';
import { definitionOf } from '../ops/index.ts';
import { bytesOf, fullestStep, type PlannedBuffer, type Span, shareBuffers } from './buffers.ts';

/** Where a value lives while a graph runs. */
export type Storage =
  | { readonly kind: 'input' | 'parameter' | 'variable' | 'output'; readonly name: string }
  | { readonly kind: 'constant'; readonly value: number }
  | { readonly kind: 'buffer'; readonly index: number };

/** Moved when all steps are done: an output that lives elsewhere, a variable whose new value was made elsewhere. */
export interface FinalCopy {
  readonly from: Value;
  readonly to: { readonly kind: 'output' | 'variable'; readonly name: string };
}

export interface StoragePlan {
  readonly storage: ReadonlyMap<number, Storage>;
  readonly buffers: readonly PlannedBuffer[];
  readonly copies: readonly FinalCopy[];
  /** What the buffers would take if no two values shared one. */
  readonly unsharedBytes: number;
  /** What the values take at the step that has most of them: those of the forward part, made again for the backward part, of that. */
  readonly fullest: Readonly<Record<Part, number>>;
}

/** Nodes that a device executes: neither leaves nor views. */
export function isStep(node: Node): boolean {
  return definitionOf(node.op).kind !== 'leaf' && node.op !== 'reshape';
}

/**
 * Gives every value a place: views share, state is updated in place, buffers are handed on when their last reader is done.
 * @param updates whether the new value of a variable may be made where the variable lies, once its old value was read for the
 * last time; else it is copied there at the end
 */
export function assignStorage(graph: Graph, limits: Sizes, updates: 'inPlace' | 'copied' = 'copied'): StoragePlan {
  const roots = findRoots(graph);
  const root = (value: Value): Value => roots.get(value.id) ?? value;
  const storage = new Map<number, Storage>();
  for (const node of graph.nodes) placeLeaf(node, storage);
  const copies = placeResults(graph, root, storage, updates === 'inPlace' ? overwritable(graph, root) : new Set());

  const spans = findSpans(graph, root, copies, (value) => !storage.has(value.id));
  const { places, buffers } = shareBuffers(spans, limits);
  for (const [id, index] of places) storage.set(id, { kind: 'buffer', index });
  for (const [id, value] of roots) {
    const place = storage.get(value.id);
    if (place !== undefined) storage.set(id, place);
  }
  const unsharedBytes = spans.reduce((sum, span) => sum + bytesOf(span, limits), 0);
  return { storage, buffers, copies, unsharedBytes, fullest: fullestStep(spans, limits) };
}

/** Of a view, the value it looks at; of a pool written in place, the variable. */
function findRoots(graph: Graph): Map<number, Value> {
  const roots = new Map<number, Value>();
  const writtenAt = new Map<number, Node>();
  const variables = new Map<number, string>();
  /** Of each root, the views of it so far. */
  const views = new Map<number, number[]>();
  const share = (from: Value | undefined, to: Value | undefined): void => {
    if (from === undefined || to === undefined) return;
    const root = roots.get(from.id) ?? from;
    roots.set(to.id, root);
    const known = views.get(root.id);
    if (known === undefined) views.set(root.id, [to.id]);
    else known.push(to.id);
  };
  for (const node of graph.nodes) {
    for (const value of Object.values(node.inputs)) {
      const writer = writtenAt.get(value.id);
      if (writer !== undefined) {
        throw new ReceptanceError('BAD_GRAPH', `${node.op} in ${node.scope} reads a pool after ${writer.op} wrote it`, {
          hint: 'read the pool before it is written, or read what the write made',
        });
      }
    }
    if (node.op === 'variable' && node.outputs['y']) variables.set(node.outputs['y'].id, String(node.attrs['name']));
    if (node.op === 'reshape') share(node.inputs['x'], node.outputs['y']);
    for (const [input, output] of inPlace(node)) {
      const pool = node.inputs[input];
      const name = pool && variables.get((roots.get(pool.id) ?? pool).id);
      if (pool === undefined || name === undefined || graph.updates[name]?.id !== node.outputs[output]?.id) {
        throw new ReceptanceError(
          'BAD_GRAPH',
          `${node.op} in ${node.scope} writes a pool that the graph does not update`,
          {
            hint: 'write to a variable, and declare the result with update()',
          },
        );
      }
      const others = Object.entries(node.inputs).filter(([other]) => other !== input);
      if (others.some(([, value]) => (roots.get(value.id) ?? value).id === (roots.get(pool.id) ?? pool).id)) {
        throw new ReceptanceError(
          'BAD_GRAPH',
          `${node.op} in ${node.scope} writes a pool that it also reads otherwise`,
          {
            hint: 'copy what it reads through an op first, e.g. multiply by 1',
          },
        );
      }
      // The pool itself and every view of it made before now look at what is new.
      const memory = (roots.get(pool.id) ?? pool).id;
      writtenAt.set(memory, node);
      for (const id of views.get(memory) ?? []) writtenAt.set(id, node);
      share(pool, node.outputs[output]);
    }
  }
  for (const [name, value] of Object.entries(graph.outputs)) {
    const writer = writtenAt.get(value.id);
    if (writer !== undefined) {
      throw new ReceptanceError('BAD_GRAPH', `output ${name} is a pool as it was before ${writer.op} wrote it`, {
        hint: 'output what the write made, or a copy made before it, e.g. by multiplying with 1',
      });
    }
  }
  return roots;
}

/** Inputs of a node whose memory an output takes over. */
function inPlace(node: Node): [string, string][] {
  if (node.op === 'stateWrite') return [['pool', 'y']];
  if (node.inputs['slots'] === undefined) return [];
  return Object.entries(definitionOf(node.op).state ?? {}).map(([input, output]) => [input, output ?? '']);
}

function placeLeaf(node: Node, storage: Map<number, Storage>): void {
  const value = node.outputs['y'];
  if (value === undefined) return;
  const name = String(node.attrs['name']);
  if (node.op === 'input' || node.op === 'parameter' || node.op === 'variable')
    storage.set(value.id, { kind: node.op, name });
  if (node.op === 'constant') storage.set(value.id, { kind: 'constant', value: value.id });
}

/**
 * Lets outputs be made where they are wanted; what cannot is copied at the end. Outputs come first: one may be a variable
 * as it was before its update.
 */
function placeResults(
  graph: Graph,
  root: (value: Value) => Value,
  storage: Map<number, Storage>,
  overwritten: ReadonlySet<string>,
): FinalCopy[] {
  const updates: FinalCopy[] = [];
  const copies: FinalCopy[] = [];
  for (const [name, value] of Object.entries(graph.updates)) {
    const place = storage.get(root(value).id);
    if (place?.kind === 'variable' && place.name !== name) {
      throw new ReceptanceError('BAD_GRAPH', `variable ${name} is updated by variable ${place.name} itself`, {
        hint: 'the order of the two copies would matter: copy through an op, e.g. multiply by 1',
      });
    }
    if (place === undefined && overwritten.has(name)) storage.set(root(value).id, { kind: 'variable', name });
    else if (place?.kind !== 'variable') updates.push({ from: value, to: { kind: 'variable', name } });
  }
  for (const [name, value] of Object.entries(graph.outputs)) {
    const made = root(value);
    if (storage.has(made.id)) copies.push({ from: value, to: { kind: 'output', name } });
    else storage.set(made.id, { kind: 'output', name });
  }
  return [...copies, ...updates];
}

/**
 * Variables whose old value nothing reads any more when the new one is made: not the node that makes it either, which may
 * not be able to write what it reads. Nor may an output be the old or the new value.
 */
function overwritable(graph: Graph, root: (value: Value) => Value): Set<string> {
  const [made, read] = [new Map<number, number>(), new Map<number, number>()];
  const old = new Map<string, number>();
  graph.nodes.forEach((node, at) => {
    const leaf = node.outputs['y'];
    if (node.op === 'variable' && leaf !== undefined) old.set(String(node.attrs['name']), leaf.id);
    if (!isStep(node)) return;
    for (const value of Object.values(node.outputs)) made.set(root(value).id, at);
    for (const value of Object.values(node.inputs)) read.set(root(value).id, at);
  });
  const given = new Set(Object.values(graph.outputs).map((value) => root(value).id));
  const sources = Object.values(graph.updates).map((value) => root(value).id);
  const found = new Set<string>();
  for (const [name, value] of Object.entries(graph.updates)) {
    const [source, before] = [root(value).id, old.get(name)];
    const at = made.get(source);
    if (at === undefined || before === undefined || given.has(source) || given.has(before)) continue;
    const once = sources.filter((id) => id === source).length === 1 && !sources.includes(before);
    if (once && (read.get(before) ?? -1) < at) found.add(name);
  }
  return found;
}

/** When each value that needs a buffer is made and read for the last time; what is copied at the end is there till then. */
function findSpans(
  graph: Graph,
  root: (value: Value) => Value,
  copies: readonly FinalCopy[],
  needsBuffer: (value: Value) => boolean,
): Span[] {
  const made = new Map<number, Omit<Span, 'to'>>();
  const last = new Map<number, number>();
  graph.nodes.forEach((node, at) => {
    if (!isStep(node)) return;
    for (const output of Object.values(node.outputs)) {
      const value = root(output);
      if (needsBuffer(value) && !made.has(value.id)) made.set(value.id, { value, maker: node, from: at });
      last.set(value.id, at);
    }
    for (const input of Object.values(node.inputs)) last.set(root(input).id, at);
  });
  for (const { from } of copies) last.set(root(from).id, graph.nodes.length);
  return [...made.values()].map((each) => ({ ...each, to: last.get(each.value.id) ?? each.from }));
}
