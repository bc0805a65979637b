import { partOf } from '../autodiff/parts.ts';
import { type Derived, rewrite } from '../ir/rewrite.ts';
import type { Attr, Attrs, Graph, Node } from '../ir/types.ts';
import { definitionOf } from '../ops/index.ts';

/**
 * Makes equal nodes once: decompositions repeat differences and constants without a thought. Scalars that are known become
 * constants: a device holds them ready instead of making them at every step.
 * What is made again on purpose is not what was made before.
 */
export function shareEqual(graph: Graph): Graph {
  const made = new Map<string, Node['outputs']>();
  const replace = (given: Node, inputs: Node['inputs'], { b }: Derived): Node['outputs'] | undefined => {
    const node = heldScalar(given);
    if ((definitionOf(node.op).kind === 'leaf' && node.op !== 'constant') || node.op === 'stateWrite') return undefined;
    const taken = Object.entries(inputs).map(([name, value]) => `${name}=${value.id}`);
    const again = partOf(given) === 'again' ? 'again ' : '';
    const key = `${again}${node.op}(${taken}) ${keyOf(node.attrs)}`;
    const outputs = made.get(key) ?? (node === given ? b.keep(given, inputs) : b.insert(node.op, inputs, node.attrs));
    made.set(key, outputs);
    return outputs;
  };
  return rewrite(graph, { replace });
}

/** Equal for equal attributes alone: −0 is not 0. */
function keyOf(attrs: Attrs): string {
  const isSigned = Object.values(attrs).some(hasNegativeZero);
  return JSON.stringify(attrs, isSigned ? (_, item) => (Object.is(item, -0) ? '-0' : item) : undefined);
}

function hasNegativeZero(attr: Attr): boolean {
  return Array.isArray(attr) ? attr.some(hasNegativeZero) : Object.is(attr, -0);
}

function heldScalar(node: Node): Pick<Node, 'op' | 'attrs'> {
  const { shape, value } = node.attrs;
  const isScalar = node.op === 'full' && Array.isArray(shape) && shape.length === 0;
  return isScalar ? { op: 'constant', attrs: { data: [Number(value)], dtype: 'f32', shape: [] } } : node;
}
