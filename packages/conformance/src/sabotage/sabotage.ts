import { type KernelOf, reference } from '@receptance/backend-reference';
import {
  type Attrs,
  type Backend,
  type Device,
  type Graph,
  type GraphBuilder,
  type HostKernel,
  type KernelTable,
  type Node,
  type OpName,
  rewrite,
  type Value,
} from '@receptance/core';

/** A mistake that an implementation could make, made on purpose: the suite must notice it. */
export interface Sabotage {
  readonly op: OpName;
  readonly name: string;
  /** The reference with the mistake. */
  readonly backend: Backend;
  /** Beginnings of the ids of checks that must notice it; by default the op's own cases. */
  readonly noticedBy?: readonly string[];
}

/** The inputs of a node by name. */
export type Inputs = (name: string) => Value;
/** The outputs that take the place of a node's; `undefined` leaves the node alone. */
export type Change = (b: GraphBuilder, x: Inputs, node: Node) => Node['outputs'] | undefined;

/** The reference, given graphs in which every node of an op is changed. */
export function changed(op: OpName, name: string, change: Change, noticedBy?: readonly string[]): Sabotage {
  const wrong = (graph: Graph): Graph =>
    rewrite(graph, {
      replace: (node, inputs, { b }) => (node.op === op ? change(b, inputsOf(node, inputs), node) : undefined),
    });
  return { op, name, backend: compilingOther(reference(), wrong), ...(noticedBy === undefined ? {} : { noticedBy }) };
}

/** The same node with other inputs or attributes. */
export function other(
  node: Node,
  b: GraphBuilder,
  x: Inputs,
  inputs: Record<string, Value>,
  attrs: Attrs = {},
): Node['outputs'] {
  const own = Object.fromEntries(Object.keys(node.inputs).map((name) => [name, x(name)]));
  return b.insert(node.op, { ...own, ...inputs }, { ...node.attrs, ...attrs });
}

/** A change of inputs only. */
export function withInputs(make: (b: GraphBuilder, x: Inputs) => Record<string, Value>): Change {
  return (b, x, node) => other(node, b, x, make(b, x));
}

/** A change of attributes only. */
export function withAttrs(make: (attrs: Attrs) => Attrs): Change {
  return (b, x, node) => other(node, b, x, {}, make(node.attrs));
}

/** The reference with another kernel for an op. */
export function replaced<Op extends OpName>(op: Op, name: string, run: KernelOf<Op>['run']): Sabotage {
  const kernel: KernelOf<Op> = { run };
  const kernels: KernelTable<HostKernel> = { [op]: [kernel] };
  return { op, name, backend: reference({ kernels }) };
}

function inputsOf(node: Node, inputs: Node['inputs']): Inputs {
  return (name) => {
    const value = inputs[name];
    if (value === undefined) throw new Error(`${node.op} has no input ${name}`);
    return value;
  };
}

/** A backend that compiles something else than it is asked to. */
function compilingOther(backend: Backend, wrong: (graph: Graph) => Graph): Backend {
  return {
    specVersion: 1,
    name: `${backend.name}, sabotaged`,
    async open(options) {
      const device = await backend.open(options);
      const mutated: Device = {
        info: device.info,
        supports: (node) => device.supports(node),
        loadParameters: (source, uses, loading) => device.loadParameters(source, uses, loading),
        compile: (graph, parameters, limits) => device.compile(wrong(graph), parameters, limits),
        alloc: (dtype, elements) => device.alloc(dtype, elements),
        free: (buffer) => device.free(buffer),
        write: (buffer, data, offset) => device.write(buffer, data, offset),
        read: (buffer, offset, elements) => device.read(buffer, offset, elements),
        copy: (from, fromOffset, to, toOffset, elements) => device.copy(from, fromOffset, to, toOffset, elements),
        run: (executable, bindings, loop) => device.run(executable, bindings, loop),
        close: () => device.close(),
      };
      return mutated;
    },
  };
}
