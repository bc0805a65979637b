import { ReceptanceError } from '../errors.ts';
import type { GraphBuilder } from '../ir/builder.ts';
import { derive, mapped, prune } from '../ir/rewrite.ts';
import type { Graph, Node, Value } from '../ir/types.ts';
import { definitionOf } from '../ops/index.ts';
import { decompose } from '../plan/lower.ts';
import { GRADIENT } from './parts.ts';
import { rematerialise } from './rematerialise.ts';

export interface DifferentiateOptions {
  /** Whether the backward part makes cheap values of the forward part again rather than keep them: less memory, same numbers. */
  readonly rematerialise?: boolean | undefined;
}

/**
 * The graph with the gradient of a scalar output by its side: reverse-mode differentiation. Every op named by the
 * result is one that a backend runs anyway, so training needs nothing from a backend but kernels.
 *
 * @param loss name of an output of shape []
 * @param wrt names of inputs, parameters or variables
 * @returns the graph with its outputs and, for each name, an output `grad.<name>` of the leaf's shape
 * @throws ReceptanceError `NOT_DIFFERENTIABLE` where the way from a leaf to the loss has no derivative
 */
export function differentiate(
  graph: Graph,
  loss: string,
  wrt: readonly string[],
  options: DifferentiateOptions = {},
): Graph {
  const whole = decompose(graph, (node) => definitionOf(node.op).vjp !== undefined);
  const { b, map } = derive(whole, { name: `${graph.name}.gradient` });
  const seed = lossValue(whole, loss);
  const leaves = wrt.map((name) => [name, leaf(whole, name)] as const);
  const dependent = dependents(whole, new Set(leaves.map(([, value]) => value.id)));

  const gradients = new Map<number, Value>([[seed.id, b.full(1, [])]]);
  for (const node of whole.nodes.toReversed()) {
    if (!dependent.has(node)) continue;
    b.scope(node.scope === '' ? GRADIENT : `${node.scope}.${GRADIENT}`, () => backward(node, map, gradients, b));
  }

  for (const [name, value] of Object.entries(whole.outputs)) b.output(name, mapped(map, value));
  for (const [name, value] of Object.entries(whole.updates)) b.update(name, mapped(map, value));
  for (const [name, value] of leaves) {
    if (Object.hasOwn(whole.outputs, `grad.${name}`)) {
      throw new ReceptanceError('NOT_DIFFERENTIABLE', `${graph.name} has an output grad.${name} already`, {
        hint: 'name it otherwise',
      });
    }
    b.output(`grad.${name}`, gradients.get(value.id) ?? b.full(0, value.shape));
  }
  const differentiated = prune(b.build());
  const forward = new Set([...map.values()].map(({ id }) => id));
  return options.rematerialise === true ? rematerialise(differentiated, forward) : differentiated;
}

/** Adds what one node passes back to the gradients of its inputs. */
function backward(node: Node, map: ReadonlyMap<number, Value>, gradients: Map<number, Value>, b: GraphBuilder): void {
  const upstream: Record<string, Value> = {};
  for (const [name, value] of Object.entries(node.outputs)) {
    const g = gradients.get(value.id);
    if (g !== undefined) upstream[name] = g;
  }
  if (Object.keys(upstream).length === 0) return;
  const vjp = definitionOf(node.op).vjp;
  if (vjp === undefined) {
    throw new ReceptanceError('NOT_DIFFERENTIABLE', `${node.op} in ${node.scope} has no derivative`, {
      hint: `give packages/core/src/ops/${node.op}.ts a vjp, or differentiate a graph without it`,
    });
  }
  const local = (values: Node['inputs']): Node['inputs'] =>
    Object.fromEntries(Object.entries(values).map(([name, value]) => [name, mapped(map, value)]));
  const passed = vjp(b, local(node.inputs), node.attrs, local(node.outputs), upstream);
  for (const [name, value] of Object.entries(node.inputs)) {
    const g: Value | undefined = passed[name];
    if (g === undefined) continue;
    const sum = gradients.get(value.id);
    gradients.set(value.id, sum === undefined ? g : b.binary('add', sum, g));
  }
}

function lossValue(graph: Graph, name: string): Value {
  const value = graph.outputs[name];
  if (value === undefined || value.shape.length !== 0 || value.dtype !== 'f32') {
    throw new ReceptanceError('NOT_DIFFERENTIABLE', `${graph.name} has no scalar output ${name}`, {
      hint: `outputs: ${Object.keys(graph.outputs).join(', ')}; reduce the loss to shape []`,
    });
  }
  return value;
}

function leaf(graph: Graph, name: string): Value {
  const node = graph.nodes.find((n) => definitionOf(n.op).kind === 'leaf' && n.attrs['name'] === name);
  const value = node?.outputs['y'];
  if (value === undefined || value.dtype === 'i32') {
    throw new ReceptanceError(
      'NOT_DIFFERENTIABLE',
      `${graph.name} has no input, parameter or variable ${name} of floats`,
      {
        hint: 'differentiate by the names of leaves',
      },
    );
  }
  return value;
}

/** The nodes whose outputs depend on the leaves. */
function dependents(graph: Graph, leafIds: ReadonlySet<number>): Set<Node> {
  const moving = new Set(leafIds);
  const found = new Set<Node>();
  for (const node of graph.nodes) {
    if (!Object.values(node.inputs).some((value) => moving.has(value.id))) continue;
    found.add(node);
    for (const value of Object.values(node.outputs)) moving.add(value.id);
  }
  return found;
}
