import { UnsupportedOpError } from '../errors.ts';
import { prune, rewrite } from '../ir/rewrite.ts';
import type { Graph, Node } from '../ir/types.ts';
import { definitionOf } from '../ops/index.ts';
import { shareEqual } from './share.ts';

/** Whether a device runs a node as it is, or why not. */
export type Supports = (node: Node) => true | string;

/**
 * Decomposes composites, and what they are made of, until `keep` holds for every node or nothing can be decomposed further.
 * The nodes a composite becomes lie in its scope.
 */
export function decompose(graph: Graph, keep: (node: Node) => boolean): Graph {
  const opened = (node: Node): boolean => definitionOf(node.op).kind === 'composite' && !keep(node);
  return graph.nodes.some(opened) ? rewrite(graph, { opens: opened }) : graph;
}

/**
 * The graph in nodes that a device runs: composites it does not claim are decomposed, dead code is dropped,
 * known scalars are held, equal nodes are made once.
 * @throws UnsupportedOpError for a primitive it does not run.
 */
export function lower(graph: Graph, supports: Supports, backend: string): Graph {
  const lowered = shareEqual(prune(decompose(graph, (node) => supports(node) === true)));
  for (const node of lowered.nodes) {
    if (definitionOf(node.op).kind === 'leaf') continue;
    const verdict = supports(node);
    if (verdict !== true) throw new UnsupportedOpError(backend, node.op, verdict, node.scope);
  }
  return lowered;
}
