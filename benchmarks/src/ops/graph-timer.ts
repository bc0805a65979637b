import { Random } from '@receptance/conformance';
import {
  type Bindings,
  type Device,
  type DeviceBuffer,
  elementCount,
  type Graph,
  type HostArray,
  leaves,
  type Parameters,
  type Sizes,
  type Value,
} from '@receptance/core';

/** A graph on a device with inputs that are plausible, ready to be timed. */
export interface GraphTimer {
  /** Milliseconds of one run of so many steps. */
  run(steps: number): Promise<number>;
  free(): void;
}

/** What a run of a graph is given, and what lets go of it. */
export interface Bound {
  readonly bindings: Bindings;
  readonly buffers: readonly DeviceBuffer[];
  free(): void;
}

/** One text of N tokens: whatever is an input has numbers in the range that its name means. */
export function bound(device: Device, graph: Graph, sizes: Sizes): Bound {
  const buffers: DeviceBuffer[] = [];
  const allocate = (value: Value): DeviceBuffer => {
    const buffer = device.alloc(value.dtype === 'i32' ? 'i32' : 'f32', elementCount(value.shape, { Z: 1, ...sizes }));
    buffers.push(buffer);
    return buffer;
  };
  const inputs: Record<string, DeviceBuffer> = {};
  const decays = decayInputs(graph);
  const drawn = new Map<string, HostArray>();
  for (const [name, value] of leaves(graph, 'input')) {
    const buffer = allocate(value);
    device.write(buffer, numbersFor(name, value, buffer.elements, sizes, decays.has(name), drawn));
    inputs[name] = buffer;
  }
  const outputs = Object.fromEntries(Object.entries(graph.outputs).map(([name, value]) => [name, allocate(value)]));
  return {
    ...{ bindings: { sizes, inputs, outputs }, buffers },
    free() {
      for (const buffer of buffers) device.free(buffer);
    },
  };
}

export async function graphTimer(
  device: Device,
  parameters: Parameters,
  graph: Graph,
  sizes: Sizes,
): Promise<GraphTimer> {
  const executable = await device.compile(graph, parameters, sizes);
  const { bindings, buffers, free } = bound(device, graph, sizes);
  const probe = buffers[0] ?? device.alloc('i32', 1);
  return {
    async run(steps) {
      await device.read(probe, 0, 1);
      const began = performance.now();
      await device.run(executable, bindings, { steps, carry: {}, feed: [], collect: [] });
      await device.read(probe, 0, 1);
      return performance.now() - began;
    },
    free() {
      free();
      executable.free();
    },
  };
}

/** Log decays are never positive: otherwise states would grow without end from step to step. */
function decayInputs(graph: Graph): Set<string> {
  const names = new Map([...leaves(graph, 'input')].map(([name, { id }]) => [id, name]));
  return new Set(graph.nodes.flatMap(({ inputs }) => names.get(inputs['lw']?.id ?? -1) ?? []));
}

/** @param drawn random numbers by kind and length: drawing them takes longer than what is timed */
function numbersFor(
  name: string,
  { dtype }: Value,
  elements: number,
  { N = 1, S = 1 }: Sizes,
  isDecay: boolean,
  drawn: Map<string, HostArray>,
): HostArray {
  if (name === 'starts') return Int32Array.from({ length: elements }, (_, s) => Math.floor((s * N) / S));
  if (name === 'slots') return Int32Array.from({ length: elements }, (_, s) => s);
  if (name === 'rows') return Int32Array.of(N - 1);
  const kind = `${dtype} ${isDecay} ${elements}`;
  const random = new Random(kind);
  const known = drawn.get(kind);
  if (known !== undefined) return known;
  const numbers =
    dtype === 'i32'
      ? Int32Array.from({ length: elements }, () => random.integer(64))
      : Float32Array.from({ length: elements }, () => (isDecay ? random.uniform(-0.6, -0.001) : random.normal(0.5)));
  drawn.set(kind, numbers);
  return numbers;
}
