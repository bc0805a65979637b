import { UnsupportedOpError } from '../errors.ts';
import type { OutputsOf, Signature } from '../ir/definition.ts';
import { prune, rewrite } from '../ir/rewrite.ts';
import type { Graph, Node } from '../ir/types.ts';
import { definitionOf } from '../ops/index.ts';
import { shareEqual } from './share.ts';

/** Whether a device runs a node as it is, or why not. */
export type Supports = (node: Node) => true | string;

/**
 * Decomposes composites, level by level, until `keep` holds for every node or nothing can be decomposed further.
 * The nodes a composite becomes lie in its scope.
 */
export function decompose(graph: Graph, keep: (node: Node) => boolean): Graph {
  const opened = (node: Node): boolean => definitionOf(node.op).kind === 'composite' && !keep(node);
  if (!graph.nodes.some(opened)) return graph;
  const next = rewrite(graph, (node, inputs, b) => {
    const definition = definitionOf(node.op);
    if (definition.decompose === undefined || !opened(node)) return undefined;
    const lowered: OutputsOf<Signature> = b.scope(node.op, () => definition.decompose?.(b, inputs, node.attrs) ?? {});
    return lowered;
  });
  return decompose(next, keep);
}

/** Scalars that are known become constants: a device holds them ready instead of making them at every step. */
function holdScalars(graph: Graph): Graph {
  return rewrite(graph, ({ op, attrs }, _, b) => {
    const scalar = op === 'full' && Array.isArray(attrs['shape']) && attrs['shape'].length === 0;
    return scalar ? { y: b.constant([Number(attrs['value'])], 'f32', []) } : undefined;
  });
}

/**
 * The graph in nodes that a device runs: composites it does not claim are decomposed, dead code is dropped,
 * known scalars are held, equal nodes are made once.
 * @throws UnsupportedOpError for a primitive it does not run.
 */
export function lower(graph: Graph, supports: Supports, backend: string): Graph {
  const lowered = shareEqual(holdScalars(prune(decompose(graph, (node) => supports(node) === true))));
  for (const node of lowered.nodes) {
    if (definitionOf(node.op).kind === 'leaf') continue;
    const verdict = supports(node);
    if (verdict !== true) throw new UnsupportedOpError(backend, node.op, verdict, node.scope);
  }
  return lowered;
}
