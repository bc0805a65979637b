import { ReceptanceError } from '../errors.ts';
import { GraphBuilder } from './builder.ts';
import type { Attrs, Graph, Value } from './types.ts';

/** Of this shape from version to version; a reader refuses another number. */
const FORMAT = 1;

interface GraphJson {
  readonly receptanceGraph: typeof FORMAT;
  readonly name: string;
  readonly nodes: readonly NodeJson[];
  readonly outputs: Readonly<Record<string, number>>;
  readonly updates: Readonly<Record<string, number>>;
}

interface NodeJson {
  readonly op: string;
  readonly scope: string;
  readonly inputs: Readonly<Record<string, number>>;
  readonly attrs: Attrs;
  readonly outputs: Readonly<Record<string, number>>;
}

/** A graph as JSON text. Types are left out: `infer` gives them again. */
export function graphToJson(graph: Graph): string {
  const json: GraphJson = {
    receptanceGraph: FORMAT,
    name: graph.name,
    nodes: graph.nodes.map(({ op, scope, inputs, attrs, outputs }) => {
      return { op, scope, inputs: ids(inputs), attrs, outputs: ids(outputs) };
    }),
    outputs: ids(graph.outputs),
    updates: ids(graph.updates),
  };
  return JSON.stringify(json);
}

/**
 * The graph that `graphToJson` wrote, checked like one made by hand.
 * @throws ReceptanceError `BAD_GRAPH` for text that is not such a graph, `BAD_OP` for a node that breaks its op's rules.
 */
export function graphFromJson(text: string): Graph {
  const json = parse(text);
  const b = new GraphBuilder(json.name);
  const values = new Map<number, Value>();
  const find = (id: number): Value => {
    const value = values.get(id);
    if (value === undefined) throw badGraph(`value ${id} is used before it is made`);
    return value;
  };
  for (const node of json.nodes) {
    const inputs = Object.fromEntries(Object.entries(node.inputs).map(([name, id]) => [name, find(id)]));
    const outputs = b.scope(node.scope, () => b.insert(node.op, inputs, node.attrs));
    for (const [name, id] of Object.entries(node.outputs)) {
      const value = Object.hasOwn(outputs, name) ? outputs[name] : undefined;
      if (value === undefined) throw badGraph(`${node.op} has no output ${name}`);
      if (values.has(id)) throw badGraph(`value ${id} is made twice`);
      values.set(id, value);
    }
  }
  for (const [name, id] of Object.entries(json.outputs)) b.output(name, find(id));
  for (const [name, id] of Object.entries(json.updates)) b.update(name, find(id));
  return b.build();
}

function ids(values: Readonly<Record<string, Value>>): Record<string, number> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, value.id]));
}

function parse(text: string): GraphJson {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw badGraph('text is not JSON', cause);
  }
  if (!isGraphJson(json)) throw badGraph('text is not a graph of this version');
  return json;
}

function isGraphJson(json: unknown): json is GraphJson {
  if (!isRecord(json) || json['receptanceGraph'] !== FORMAT || typeof json['name'] !== 'string') return false;
  const { nodes, outputs, updates } = json;
  if (!Array.isArray(nodes) || !isIdRecord(outputs) || !isIdRecord(updates)) return false;
  return nodes.every((node: unknown) => {
    if (!isRecord(node) || typeof node['op'] !== 'string' || typeof node['scope'] !== 'string') return false;
    return isIdRecord(node['inputs']) && isIdRecord(node['outputs']) && isRecord(node['attrs']);
  });
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isIdRecord(value: unknown): value is Record<string, number> {
  return isRecord(value) && Object.values(value).every((id) => Number.isSafeInteger(id));
}

function badGraph(message: string, cause?: unknown): ReceptanceError {
  return new ReceptanceError('BAD_GRAPH', message, { hint: 'give text that graphToJson wrote', cause });
}
