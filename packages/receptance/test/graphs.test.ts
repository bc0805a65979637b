/** Which graphs a device is shown before it lays out weights. */
import { bytesSource, openCheckpoint } from '@receptance/checkpoint';
import { decompose, detectModel, type Graph, leaves } from '@receptance/core';
import { expect, test } from 'vitest';
import { GRAPHS, Graphs } from '../src/graphs.ts';
import { randomModel } from './support/models.ts';

/** `op.input` of every use of a parameter, by its name. */
function usesOf(graph: Graph): Map<string, Set<string>> {
  const names = new Map([...leaves(graph, 'parameter')].map(([name, { id }]) => [id, name]));
  const uses = new Map<string, Set<string>>();
  for (const { op, inputs } of graph.nodes) {
    for (const [input, { id }] of Object.entries(inputs)) {
      const name = names.get(id);
      if (name !== undefined) uses.set(name, (uses.get(name) ?? new Set()).add(`${op}.${input}`));
    }
  }
  return uses;
}

test('no graph uses a weight or a state in a way that those shown at load do not', async () => {
  const { tensors } = await openCheckpoint(bytesSource(randomModel()));
  const graphs = await Graphs.of(detectModel(tensors));
  const decomposed = (graph: Graph): Graph => decompose(graph, () => false);
  const shown = graphs.covering.map((graph) => usesOf(decomposed(graph)));
  const pools = new Set(graphs.covering.flatMap((graph) => [...leaves(graph, 'variable').keys()]));
  for (const name of GRAPHS) {
    for (const [parameter, uses] of usesOf(decomposed(graphs.get(name)))) {
      const known = shown.flatMap((each) => [...(each.get(parameter) ?? [])]);
      for (const use of uses) expect(known, `${name}: ${parameter}`).toContain(use);
    }
    for (const pool of leaves(graphs.get(name), 'variable').keys()) expect(pools, name).toContain(pool);
  }
});
