import {
  copyNodes,
  differentiate,
  type Graph,
  GraphBuilder,
  leaves,
  mapped,
  rewrite,
  type Value,
} from '@receptance/core';

/** Adam's moments of one tensor. */
const moments = (name: string): readonly [string, string] => [`adam.m.${name}`, `adam.v.${name}`];

/**
 * A loss graph as one step of training: every parameter a variable, forward, backward, AdamW on each.
 *
 * outputs: loss f32[]
 */
export function stepGraph(loss: Graph, rate = 1e-3): Graph {
  const names = [...leaves(loss, 'parameter').keys()];
  const variables = rewrite(loss, ({ op, attrs, outputs }, _, b): Record<string, Value> | undefined =>
    op === 'parameter' ? { y: b.variable(String(attrs['name']), 'f32', outputs['y']?.shape ?? []) } : undefined,
  );
  const graph = differentiate(variables, 'loss', names);
  const b = new GraphBuilder(`${loss.name}.step`);
  const map = copyNodes(graph, b, () => undefined);
  for (const name of names) {
    const gradient = graph.outputs[`grad.${name}`];
    if (gradient !== undefined) adam(b, name, mapped(map, gradient), rate);
  }
  const value = graph.outputs['loss'];
  if (value !== undefined) b.output('loss', mapped(map, value));
  return b.build();
}

function adam(b: GraphBuilder, name: string, gradient: Value, rate: number): void {
  const [first, second] = moments(name);
  const decayed = (moment: string, beta: number, x: Value): Value =>
    b.binary('add', b.binary('mul', beta, b.variable(moment, 'f32', x.shape)), b.binary('mul', 1 - beta, x));
  const [m, v] = [decayed(first, 0.9, gradient), decayed(second, 0.99, b.binary('mul', gradient, gradient))];
  const weight = b.variable(name, 'f32', gradient.shape);
  const move = b.binary('div', m, b.binary('add', b.unary('sqrt', v), 1e-8));
  b.update(name, b.binary('sub', b.binary('mul', weight, 1 - 1e-5), b.binary('mul', rate, move)));
  b.update(first, m);
  b.update(second, v);
}
