import { type Graph, type Loop, leaves, type Node, type Shape } from '@receptance/core';

/** What a loop does with inputs and outputs; how often is told when it runs. */
export type LoopKind = Omit<Loop, 'steps'>;

/**
 * How a variable is part of a model. `rows`: as the rows that `slots`, an input of the graph, chooses: the pool itself
 * stays outside. `whole`: as it is.
 */
export type StatePort = {
  readonly variable: string;
  readonly read: boolean;
  readonly written: boolean;
  readonly shape: Shape;
} & ({ readonly kind: 'rows'; readonly slots: string } | { readonly kind: 'whole' });

/** How each variable of a graph becomes inputs and outputs of its model. */
export function statePorts(graph: Graph, loop: LoopKind | undefined): Map<string, StatePort> {
  const inputs = new Map([...leaves(graph, 'input')].map(([name, value]) => [value.id, name]));
  const moving = new Set([...Object.keys(loop?.carry ?? {}), ...(loop?.feed ?? [])]);
  const ports = new Map<string, StatePort>();
  for (const [name, value] of leaves(graph, 'variable')) {
    const users = graph.nodes.filter((node) => Object.values(node.inputs).some(({ id }) => id === value.id));
    const update = graph.updates[name];
    const slots = new Set(users.map(({ inputs: { slots: by } }) => (by === undefined ? undefined : inputs.get(by.id))));
    const [first] = slots;
    const exposed = Object.values(graph.outputs).some(({ id }) => id === value.id || id === update?.id);
    const byRows = users.every((node) => isRowAccess(node, value.id, update?.id, graph));
    const [user] = users;
    const rows = user === undefined ? undefined : (user.inputs['value'] ?? user.outputs['y']);
    const read = users.some(({ op }) => op !== 'stateWrite');
    if (byRows && slots.size === 1 && first !== undefined && !moving.has(first) && !exposed && rows !== undefined) {
      const written = update !== undefined;
      ports.set(name, { kind: 'rows', variable: name, slots: first, shape: rows.shape, read, written });
    } else {
      const asOutput = Object.values(graph.outputs).some(({ id }) => id === value.id);
      const used = users.length > 0 || asOutput || update?.id === value.id;
      ports.set(name, { kind: 'whole', variable: name, shape: value.shape, read: used, written: update !== undefined });
    }
  }
  return ports;
}

/** Whether a node reads chosen rows of a pool, or writes them as the pool's new value and nothing else looks at that. */
function isRowAccess({ op, inputs, outputs }: Node, pool: number, update: number | undefined, graph: Graph): boolean {
  if (inputs['pool']?.id !== pool) return false;
  if (op === 'stateRead') return inputs['slots']?.id !== pool;
  const made = outputs['y']?.id;
  if (op !== 'stateWrite' || made !== update) return false;
  return !graph.nodes.some((node) => Object.values(node.inputs).some(({ id }) => id === made));
}
