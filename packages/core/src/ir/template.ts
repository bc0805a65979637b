import type { Attrs, Node, Value } from './types.ts';

type Values = Readonly<Record<string, Value | undefined>>;

/** What a composite was made into once: equal ones become the same of their own inputs. */
export interface Template {
  readonly inputs: Values;
  readonly nodes: readonly Node[];
  readonly outputs: Node['outputs'];
  /** Where it was made. */
  readonly scope: string;
}

/** What decides about the nodes that a composite becomes: op, attributes, the types of its inputs, and which of them are one. */
export function templateKey(op: string, inputs: Values, attrs: Attrs): string {
  const places = new Map<number, number>();
  const ports = Object.entries(inputs).flatMap(([name, value]) => {
    if (value === undefined) return [];
    const place = places.get(value.id) ?? places.size;
    places.set(value.id, place);
    return [`${name}:${place} ${value.dtype} ${value.shape.join()}`];
  });
  return `${op} ${JSON.stringify(attrs)} ${ports.join(' ')}`;
}

/**
 * Makes the nodes of a template of other inputs.
 * @param scope where they are made now
 * @param append puts a node at the end of the graph
 * @param newId of a value that is made
 */
export function instantiate(
  { nodes, outputs, inputs: before, scope: was }: Template,
  inputs: Values,
  scope: string,
  append: (node: Node) => void,
  newId: () => number,
): Node['outputs'] {
  const map = new Map<number, Value>();
  for (const [name, value] of Object.entries(before)) {
    const now = inputs[name];
    if (value !== undefined && now !== undefined) map.set(value.id, now);
  }
  const mapped = (values: Node['inputs']): Record<string, Value> => {
    const now: Record<string, Value> = {};
    for (const [name, value] of Object.entries(values)) now[name] = map.get(value.id) ?? value;
    return now;
  };
  for (const { op, inputs: taken, attrs, outputs: made, scope: place } of nodes) {
    for (const { id, dtype, shape } of Object.values(made)) map.set(id, Object.freeze({ id: newId(), dtype, shape }));
    append(
      Object.freeze({
        ...{ op, inputs: Object.freeze(mapped(taken)), attrs, outputs: Object.freeze(mapped(made)) },
        scope: scope + place.slice(was.length),
      }),
    );
  }
  return mapped(outputs);
}
