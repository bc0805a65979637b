import { elementCount, type Graph, type Loop, leaves, type Sizes, type Value } from '@receptance/core';
import type { Encoder, Register } from './encoder.ts';

/** The registers of an input or output that a loop needs. */
interface Port {
  readonly value: Value;
  readonly address: Register;
  readonly elements: Register;
}

/** The inputs and outputs of a program by name. */
export interface Ports {
  readonly input: ReadonlyMap<string, Port>;
  readonly output: ReadonlyMap<string, Port>;
}

export function encodePorts(graph: Graph, e: Encoder): Ports {
  const port =
    (kind: 'input' | 'output') =>
    ([name, value]: readonly [string, Value]): [string, Port] => [
      name,
      { value, address: e.place({ kind, name }), elements: e.size(...value.shape) },
    ];
  return {
    input: new Map([...leaves(graph, 'input')].map(port('input'))),
    output: new Map(Object.entries(graph.outputs).map(port('output'))),
  };
}

/** The most words that `encodeLoop` makes for these. */
export function loopWords({ input, output }: Ports): number {
  return 3 + 3 * input.size + 2 * (input.size + output.size);
}

/** A checked loop as the crate's `run` reads it: what is copied and what moves on between two steps. */
export function encodeLoop(loop: Loop, { input, output }: Ports, sizes: Sizes): number[] {
  const carries = Object.entries(loop.carry).flatMap(([to, from]) => {
    const [target, source] = [input.get(to), output.get(from)];
    return target && source ? [[source.address.index, target.address.index, source.elements.index]] : [];
  });
  const moving = [
    ...[...new Set(loop.feed)].map((name) => input.get(name)),
    ...[...new Set(loop.collect)].map((name) => output.get(name)),
  ];
  const strides = moving.flatMap((port) =>
    port ? [[port.address.index, 4 * elementCount(port.value.shape, sizes)]] : [],
  );
  return [loop.steps, carries.length, ...carries.flat(), strides.length, ...strides.flat()];
}
