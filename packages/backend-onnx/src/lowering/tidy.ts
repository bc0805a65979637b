import type { GraphData, NodeData, Tensor } from '../proto/model.ts';

/**
 * The same graph in fewer nodes, each of which costs ONNX Runtime some microseconds a run: outputs are made where they are wanted and
 * not copied there, views of views are one view, and what nothing needs is left out.
 */
export function tidy(graph: GraphData, fresh: (stem: string) => string): GraphData {
  return withoutIdle(withFewerViews(withoutCopies(graph), fresh));
}

/** `Identity` stands for a graph's output until it is known what makes it. */
function withoutCopies(graph: GraphData): GraphData {
  const made = new Set(graph.nodes.flatMap(({ outputs }) => outputs));
  const ports = new Set(graph.outputs.map(({ name }) => name));
  const names = new Map<string, string>();
  const nodes = graph.nodes.filter(({ op, inputs: [from = ''], outputs: [to = ''] }) => {
    if (op !== 'Identity' || !ports.has(to) || !made.has(from) || names.has(from)) return true;
    names.set(from, to);
    return false;
  });
  return { ...graph, nodes: nodes.map((node) => renamed(node, names)) };
}

function renamed(node: NodeData, names: ReadonlyMap<string, string>): NodeData {
  const rename = (name: string): string => names.get(name) ?? name;
  const attributes = Object.entries(node.attributes).map(([key, value]) => {
    if (!('graph' in value)) return [key, value] as const;
    return [
      key,
      { graph: { ...value.graph, nodes: value.graph.nodes.map((inner) => renamed(inner, names)) } },
    ] as const;
  });
  return {
    ...{ ...node, attributes: Object.fromEntries(attributes) },
    ...{ inputs: node.inputs.map(rename), outputs: node.outputs.map(rename) },
  };
}

/** What a tensor shows in another shape, and that shape where it is known. */
interface View {
  readonly source: string;
  readonly dims: readonly number[] | undefined;
}

/** Shapes that are constants let a view of a view look at what lies behind. */
function withFewerViews(graph: GraphData, fresh: (stem: string) => string): GraphData {
  const constants = new Map(graph.initializers.map((tensor) => [tensor.name, integersOf(tensor)]));
  const shapes = new Map<string, Tensor>();
  const views = new Map<string, View>();
  const nodes = graph.nodes.map((node) => {
    const { inputs, outputs } = node;
    const [x = '', numbers = ''] = inputs;
    const view = viewOf(node, views.get(x) ?? { source: x, dims: undefined }, constants.get(numbers));
    if (view === undefined) return node;
    views.set(outputs[0] ?? '', view);
    if (view.dims === undefined || (node.op === 'Reshape' && view.source === x)) return node;
    const key = view.dims.join('x');
    const shape = shapes.get(key) ?? shapeTensor(fresh('shape'), view.dims);
    shapes.set(key, shape);
    return { ...node, op: 'Reshape', inputs: [view.source, shape.name], attributes: { allowzero: { int: 1 } } };
  });
  return { ...graph, nodes, initializers: [...graph.initializers, ...shapes.values()] };
}

function viewOf({ op }: NodeData, { source, dims }: View, numbers: readonly number[] | undefined): View | undefined {
  if (numbers === undefined) return undefined;
  if (op === 'Reshape') return numbers.every((size) => size > 0) ? { source, dims: numbers } : undefined;
  if (op === 'Squeeze') {
    const axes = numbers.map((axis) => (axis < 0 ? axis + (dims?.length ?? 0) : axis));
    return { source, dims: dims?.filter((_, axis) => !axes.includes(axis)) };
  }
  if (op !== 'Unsqueeze') return undefined;
  if (dims === undefined) return { source, dims };
  const rank = dims.length + numbers.length;
  const axes = new Set(numbers.map((axis) => (axis < 0 ? axis + rank : axis)));
  const rest = [...dims];
  return { source, dims: Array.from({ length: rank }, (_, axis) => (axes.has(axis) ? 1 : (rest.shift() ?? 1))) };
}

function shapeTensor(name: string, dims: readonly number[]): Tensor {
  return { name, type: 'int64', dims: [dims.length], data: new Uint8Array(BigInt64Array.from(dims, BigInt).buffer) };
}

/** Of a constant vector of 64-bit integers. */
function integersOf({ type, dims, data }: Tensor): readonly number[] | undefined {
  if (type !== 'int64' || dims.length !== 1 || !(data instanceof Uint8Array)) return undefined;
  return Array.from(new BigInt64Array(data.slice().buffer), Number);
}

function withoutIdle(graph: GraphData): GraphData {
  const needed = new Set(graph.outputs.map(({ name }) => name));
  const nodes = graph.nodes.toReversed().filter((node) => {
    if (!node.outputs.some((name) => needed.has(name))) return false;
    for (const name of usedBy(node)) if (name !== '') needed.add(name);
    return true;
  });
  return {
    ...graph,
    nodes: nodes.toReversed(),
    initializers: graph.initializers.filter(({ name }) => needed.has(name)),
  };
}

/** Everything that a node takes, in its subgraphs too. */
function usedBy({ inputs, attributes }: NodeData): string[] {
  const inside = Object.values(attributes).flatMap((value) =>
    'graph' in value ? value.graph.nodes.flatMap(usedBy) : [],
  );
  return [...inputs, ...inside];
}
