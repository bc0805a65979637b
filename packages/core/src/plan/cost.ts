import type { OpDefinition, OutputsOf, Signature } from '../ir/definition.ts';
import { bindPorts } from '../ir/patterns.ts';
import { concreteShape, elementCount, sizeOf } from '../ir/shape.ts';
import type { Node, Sizes, Value } from '../ir/types.ts';
import { definitionOf } from '../ops/index.ts';
import { byteLength } from '../weights.ts';

export interface Cost {
  /** Floating-point operations. */
  readonly flops: number;
  /** Bytes read and written once each: the least a kernel can move. */
  readonly bytes: number;
}

/** What a node costs at the given sizes: the benchmark's roofline. */
export function cost(node: Node, sizes: Sizes): Cost {
  const definition: OpDefinition = definitionOf(node.op);
  const dims = Object.fromEntries(
    Object.entries(bindPorts(definition, node.inputs)).map(([letter, dim]) => [letter, sizeOf(dim, sizes)]),
  );
  const elements = mapValues(node.outputs, (value) => elementCount(value.shape, sizes));
  const shapes = mapValues(node.inputs, (value) => concreteShape(value.shape, sizes));
  const flops = definition.flops?.(dims, node.attrs, elements, shapes) ?? sum(Object.values(elements));
  const bytes = (values: OutputsOf<Signature>): number =>
    sum(Object.values(values).map((value) => byteLength(value.dtype, elementCount(value.shape, sizes))));
  return { flops, bytes: bytes(node.inputs) + bytes(node.outputs) };
}

function mapValues<T>(record: Readonly<Record<string, Value>>, fn: (value: Value) => T): Record<string, T> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, fn(value)]));
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, n) => total + n, 0);
}
