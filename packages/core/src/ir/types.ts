import type { DType } from '../weights/weights.ts';

/**
 * A number, or a symbol bound per run, or a symbol plus a number (`S+1`).
 * `N`: tokens in flight. `S`: sequences. `R`: rows whose logits are wanted. `Z`: slots of a state pool, fixed at load.
 */
export type Dim = number | string;

/** Row-major, slowest axis first. `[]` is a scalar. */
export type Shape = readonly Dim[];

export interface TensorType {
  readonly dtype: DType;
  readonly shape: Shape;
}

/** What one node makes and others read. Its id is unique in its graph. */
export interface Value extends TensorType {
  readonly id: number;
}

/** Plain data that survives JSON. */
export type Attr = number | string | boolean | null | readonly Attr[];
export type Attrs = Readonly<Record<string, Attr>>;

/** One op applied to values. Inputs and outputs go by the names in the op's file, so a kernel reads `node.inputs.r`. */
export interface Node {
  readonly op: string;
  readonly inputs: Readonly<Record<string, Value>>;
  readonly attrs: Attrs;
  readonly outputs: Readonly<Record<string, Value>>;
  /** Where in the model it was made, e.g. `blocks.3.att`. */
  readonly scope: string;
}

/** Frozen data in SSA form: nodes in topological order. Made by `GraphBuilder` only. */
export interface Graph {
  readonly name: string;
  readonly nodes: readonly Node[];
  readonly outputs: Readonly<Record<string, Value>>;
  /** New values of variables, written in place when a run ends: variable name → value. */
  readonly updates: Readonly<Record<string, Value>>;
}

/** A number for every symbol of a graph. */
export type Sizes = Readonly<Record<string, number>>;

/** The leaves of a graph of one kind by name: what it must be given. */
export function leaves(graph: Graph, kind: 'input' | 'parameter' | 'variable'): ReadonlyMap<string, Value> {
  const found = new Map<string, Value>();
  for (const node of graph.nodes) {
    const value = node.outputs['y'];
    if (node.op === kind && value !== undefined) found.set(String(node.attrs['name']), value);
  }
  return found;
}

/** Where a parameter is used: as an input of a node, or by the graph itself, which gives it out or puts it into a variable. */
export interface ParameterUse {
  readonly node?: Node;
  /** The node's name for it, or the graph's. */
  readonly name: string;
}

/** The uses of every parameter by its name; in composites, what is inside is not looked at. */
export function parameterUses(graph: Graph): ReadonlyMap<string, readonly ParameterUse[]> {
  const found = new Map<string, ParameterUse[]>();
  const uses = new Map<number, ParameterUse[]>();
  for (const [name, { id }] of leaves(graph, 'parameter')) {
    const own: ParameterUse[] = [];
    found.set(name, own);
    uses.set(id, own);
  }
  const note = (values: Readonly<Record<string, Value>>, node?: Node): void => {
    for (const [name, { id }] of Object.entries(values))
      uses.get(id)?.push(node === undefined ? { name } : { node, name });
  };
  for (const node of graph.nodes) note(node.inputs, node);
  note(graph.outputs);
  note(graph.updates);
  return found;
}
