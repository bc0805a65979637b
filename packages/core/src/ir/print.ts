import { formatType } from './shape.ts';
import type { Attr, Graph, Node, Value } from './types.ts';

/**
 * A graph as a person reads it: one line a node, under the heading of its scope.
 *
 *     %7 y: f32[N,128], %8 s: f32[S,2,64,64] = wkv7(r=%1, lw=%2, …)
 */
export function printGraph(graph: Graph): string {
  const lines = [`graph ${graph.name}`];
  let scope = '';
  for (const node of graph.nodes) {
    if (node.scope !== scope) {
      scope = node.scope;
      lines.push(scope === '' ? '' : `  # ${scope}`);
    }
    lines.push(`  ${printNode(node)}`);
  }
  for (const [name, value] of Object.entries(graph.outputs)) lines.push(`  output ${name} = ${reference(value)}`);
  for (const [name, value] of Object.entries(graph.updates)) lines.push(`  update ${name} = ${reference(value)}`);
  return `${lines.join('\n')}\n`;
}

export function printNode(node: Node): string {
  const outputs = Object.entries(node.outputs);
  const made = outputs.map(([name, value]) => {
    const label = outputs.length > 1 ? ` ${name}` : '';
    return `${reference(value)}${label}: ${formatType(value)}`;
  });
  const taken = Object.entries(node.inputs).map(([name, value]) => `${name}=${reference(value)}`);
  const attrs = Object.entries(node.attrs).filter(([name]) => name !== 'shape' && name !== 'dtype');
  const settings = attrs.map(([name, value]) => `${name}: ${formatAttr(value)}`);
  return `${made.join(', ')} = ${node.op}(${[...taken, ...settings].join(', ')})`;
}

function reference(value: Value): string {
  return `%${value.id}`;
}

function formatAttr(attr: Attr): string {
  const text = JSON.stringify(attr);
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}
