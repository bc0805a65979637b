import type { OpDefinition, Port } from '../ir/definition.ts';
import { bindPorts } from '../ir/patterns.ts';
import { concreteShape, elementCount, sizeOf } from '../ir/shape.ts';
import type { Node, Sizes, Value } from '../ir/types.ts';
import { definitionOf } from '../ops/index.ts';
import { byteLength } from '../weights/weights.ts';

export interface Cost {
  /** Floating-point operations. */
  readonly flops: number;
  /** Bytes read and written once each: the least a kernel can move. */
  readonly bytes: number;
}

/** What a node costs at the given sizes: the benchmark's roofline. Of tables and pools only the rows in use count. */
export function cost(node: Node, sizes: Sizes): Cost {
  const definition: OpDefinition = definitionOf(node.op);
  const dims = Object.fromEntries(
    Object.entries(bindPorts(definition, node.inputs)).map(([letter, dim]) => [letter, sizeOf(dim, sizes)]),
  );
  const elements = mapValues(node.outputs, (value) => elementCount(value.shape, sizes));
  const shapes = mapValues(node.inputs, (value) => concreteShape(value.shape, sizes));
  const flops = definition.flops?.(dims, node.attrs, elements, shapes) ?? sum(Object.values(elements));

  const bytes = (name: string, port: Port | undefined, value: Value): number => {
    const [rows = 1, ...row] = concreteShape(value.shape, sizes);
    const state = Object.entries(definition.state ?? {}).some((names) => names.includes(name));
    const letter = port?.touches ?? (state && node.inputs['slots'] !== undefined ? 'S' : undefined);
    const touched = letter === undefined ? rows : Math.min(rows, dims[letter] ?? rows);
    return byteLength(value.dtype, touched * elementCount(row));
  };
  const inputs: Readonly<Record<string, Port>> = { ...definition.inputs, ...definition.optional };
  const outputs: Readonly<Record<string, Port>> = definition.outputs;
  const moved = [
    ...Object.entries(node.inputs).map(([name, value]) => bytes(name, inputs[name], value)),
    ...Object.entries(node.outputs).map(([name, value]) => bytes(name, outputs[name], value)),
  ];
  return { flops, bytes: sum(moved) };
}

function mapValues<T>(record: Readonly<Record<string, Value>>, fn: (value: Value) => T): Record<string, T> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, fn(value)]));
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, n) => total + n, 0);
}
