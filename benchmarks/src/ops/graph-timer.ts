import { Random } from '@receptance/conformance';
import {
  type Bindings,
  type Device,
  type DeviceBuffer,
  elementCount,
  type Graph,
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
  for (const [name, value] of leaves(graph, 'input')) {
    const buffer = allocate(value);
    device.write(buffer, numbersFor(name, value.dtype, buffer.elements, sizes, decays.has(name)));
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

function numbersFor(name: string, dtype: string, elements: number, { N = 1 }: Sizes, isDecay: boolean): number[] {
  if (name === 'starts') return [0, N];
  if (name === 'slots') return [0];
  if (name === 'rows') return [N - 1];
  const random = new Random(name);
  if (dtype === 'i32') return Array.from({ length: elements }, () => random.integer(64));
  return Array.from({ length: elements }, () => (isDecay ? random.uniform(-0.6, -0.001) : random.normal(0.5)));
}
