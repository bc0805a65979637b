import { type Graph, leaves, ReceptanceError, rewrite } from '@receptance/core';

/** The graph with some parameters as variables of f32, which a step may change: the master weights. */
export function withVariables(graph: Graph, names: ReadonlySet<string>): Graph {
  const known = leaves(graph, 'parameter');
  const missing = [...names].filter((name) => !known.has(name));
  if (missing.length > 0) {
    throw new ReceptanceError('NOT_TRAINABLE', `${graph.name} has no parameter ${missing.join(', ')}`, {
      hint: 'train tensors that the model uses',
    });
  }
  return rewrite(graph, {
    replace({ op, attrs, outputs }, _, { b }) {
      const name = String(attrs['name']);
      if (op !== 'parameter' || !names.has(name)) return undefined;
      return { y: b.variable(name, 'f32', outputs['y']?.shape ?? []) };
    },
  });
}
