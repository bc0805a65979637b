import { Wire } from './wire.ts';

/** Element types by their number in TensorProto.DataType. */
export const TYPES = {
  float32: 1,
  uint8: 2,
  int8: 3,
  int32: 6,
  int64: 7,
  bool: 9,
  float16: 10,
  double: 11,
  bfloat16: 16,
  uint4: 21,
  int4: 22,
} as const;
export type OnnxType = keyof typeof TYPES;

/** Where the bytes of a tensor lie in a file beside the model. */
export interface ExternalData {
  readonly file: string;
  readonly offset: number;
  readonly length: number;
}

export interface Tensor {
  readonly name: string;
  readonly type: OnnxType;
  readonly dims: readonly number[];
  readonly data: Uint8Array | ExternalData;
  /** Whether a run may give another in its place: an initializer that is an input, too. */
  readonly overridable?: boolean;
}

export type Attribute =
  | { readonly int: number }
  | { readonly ints: readonly number[] }
  | { readonly float: number }
  | { readonly text: string }
  | { readonly tensor: Tensor }
  | { readonly graph: GraphData };

export interface NodeData {
  readonly op: string;
  readonly domain: string;
  readonly name: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Readonly<Record<string, Attribute>>;
}

/** An input or output; a dimension that is not fixed has a name, and a rank that is not known no shape. */
export interface Port {
  readonly name: string;
  readonly type: OnnxType;
  readonly shape?: readonly (number | string)[] | undefined;
  readonly doc?: string | undefined;
}

export interface GraphData {
  readonly name: string;
  readonly nodes: readonly NodeData[];
  readonly initializers: readonly Tensor[];
  readonly inputs: readonly Port[];
  readonly outputs: readonly Port[];
}

export interface ModelData {
  readonly graph: GraphData;
  readonly opsets: Readonly<Record<string, number>>;
  readonly doc?: string | undefined;
  readonly metadata?: Readonly<Record<string, string>> | undefined;
}

/** Domains of a graph's ops, those of its subgraphs too. */
export function domainsOf({ nodes }: GraphData): ReadonlySet<string> {
  const inside = nodes.flatMap(({ attributes }) =>
    Object.values(attributes).flatMap((value) => ('graph' in value ? [...domainsOf(value.graph)] : [])),
  );
  return new Set([...nodes.map(({ domain }) => domain), ...inside]);
}

/** IR version 10 came with opset 21. */
const IR_VERSION = 10;

/** A model as the bytes of an `.onnx` file. Field numbers are those of onnx.proto. */
export function encodeModel({ graph, opsets, doc, metadata = {} }: ModelData): Uint8Array<ArrayBuffer> {
  const wire = new Wire().int(1, IR_VERSION).text(2, 'receptance');
  if (doc !== undefined) wire.text(6, doc);
  wire.message(7, encodeGraph(graph));
  for (const [domain, version] of Object.entries(opsets)) wire.message(8, new Wire().text(1, domain).int(2, version));
  for (const [key, value] of Object.entries(metadata)) wire.message(14, new Wire().text(1, key).text(2, value));
  return wire.finish();
}

function encodeGraph({ name, nodes, initializers, inputs, outputs }: GraphData): Wire {
  const wire = new Wire();
  for (const node of nodes) wire.message(1, encodeNode(node));
  wire.text(2, name);
  for (const tensor of initializers) wire.message(5, encodeTensor(tensor));
  const overridable = initializers.filter((tensor) => tensor.overridable === true);
  for (const port of inputs) wire.message(11, encodePort(port));
  for (const { name: input, type, dims } of overridable)
    wire.message(11, encodePort({ name: input, type, shape: dims }));
  for (const port of outputs) wire.message(12, encodePort(port));
  return wire;
}

function encodeNode({ op, domain, name, inputs, outputs, attributes }: NodeData): Wire {
  const wire = new Wire();
  for (const input of inputs) wire.text(1, input);
  for (const output of outputs) wire.text(2, output);
  wire.text(3, name).text(4, op);
  for (const [key, value] of Object.entries(attributes)) wire.message(5, encodeAttribute(key, value));
  if (domain !== '') wire.text(7, domain);
  return wire;
}

function encodeAttribute(name: string, value: Attribute): Wire {
  const wire = new Wire().text(1, name);
  if ('int' in value) return wire.int(3, value.int).int(20, 2);
  if ('float' in value) return wire.float(2, value.float).int(20, 1);
  if ('text' in value) return wire.text(4, value.text).int(20, 3);
  if ('tensor' in value) return wire.message(5, encodeTensor(value.tensor)).int(20, 4);
  if ('graph' in value) return wire.message(6, encodeGraph(value.graph)).int(20, 5);
  for (const int of value.ints) wire.int(8, int);
  return wire.int(20, 7);
}

function encodeTensor({ name, type, dims, data }: Tensor): Wire {
  const wire = new Wire();
  for (const dim of dims) wire.int(1, dim);
  wire.int(2, TYPES[type]).text(8, name);
  if (data instanceof Uint8Array) return wire.bytes(9, data);
  const entries = { location: data.file, offset: `${data.offset}`, length: `${data.length}` };
  for (const [key, value] of Object.entries(entries)) wire.message(13, new Wire().text(1, key).text(2, value));
  return wire.int(14, 1);
}

function encodePort({ name, type, shape, doc }: Port): Wire {
  const tensor = new Wire().int(1, TYPES[type]);
  if (shape !== undefined) {
    const dims = new Wire();
    for (const dim of shape)
      dims.message(1, typeof dim === 'number' ? new Wire().int(1, dim) : new Wire().text(2, dim));
    tensor.message(2, dims);
  }
  const wire = new Wire().text(1, name).message(2, new Wire().message(1, tensor));
  return doc === undefined ? wire : wire.text(3, doc);
}
