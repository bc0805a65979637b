import {
  type Device,
  type DeviceBuffer,
  type Executable,
  elementCount,
  type Graph,
  type HostArray,
  leaves,
  type Parameters,
  ReceptanceError,
  type Sizes,
} from '@receptance/core';
import type { Batch } from './data/batches.ts';

/** Scalars that a run is given, by the names of the graph's inputs. */
export type Scalars = Readonly<Record<string, number>>;

export interface EngineParts {
  readonly device: Device;
  readonly parameters: Parameters;
  readonly sequences: number;
  readonly length: number;
}

/** Graphs of training on a device: one set of buffers serves them all, every run is of the same shape. */
export class Engine {
  readonly #parts: EngineParts;
  readonly #inputs: Readonly<Record<string, DeviceBuffer>>;
  readonly #scalars = new Map<string, DeviceBuffer>();
  readonly #sizes: Sizes;

  constructor(parts: EngineParts) {
    this.#parts = parts;
    const { device, sequences, length } = parts;
    this.#sizes = { N: sequences * length, S: sequences };
    const starts = device.alloc('i32', sequences + 1);
    device.write(
      starts,
      Array.from({ length: sequences + 1 }, (_, s) => s * length),
    );
    const slots = device.alloc('i32', sequences);
    device.write(
      slots,
      Array.from({ length: sequences }, (_, s) => s),
    );
    const rows = (): DeviceBuffer => device.alloc('i32', sequences * length);
    this.#inputs = { tokens: rows(), targets: rows(), starts, slots, fresh: device.alloc('f32', sequences) };
  }

  get bytes(): number {
    return this.#parts.parameters.bytes;
  }

  compile(graph: Graph): Promise<Executable> {
    return this.#parts.device.compile(graph, this.#parts.parameters, this.#sizes);
  }

  /** Runs a graph on a batch. @returns the scalars it makes, by the names of the outputs */
  async run(executable: Executable, batch: Batch, scalars: Scalars): Promise<Readonly<Record<string, number>>> {
    const made: Record<string, number> = {};
    for await (const [name, numbers] of this.outputs(executable, batch, scalars)) made[name] = numbers[0] ?? Number.NaN;
    return made;
  }

  /** The outputs of a graph on a batch, one after the other. */
  async *outputs(
    executable: Executable,
    batch: Batch,
    scalars: Scalars,
  ): AsyncGenerator<readonly [string, HostArray], void, undefined> {
    const { device } = this.#parts;
    const { graph } = executable;
    for (const name of ['tokens', 'targets', 'fresh'] as const) {
      const buffer = this.#inputs[name];
      if (buffer !== undefined) device.write(buffer, batch[name]);
    }
    const inputs: Record<string, DeviceBuffer> = {};
    for (const name of leaves(graph, 'input').keys()) inputs[name] = this.#inputs[name] ?? this.#scalar(name, scalars);
    const outputs: Record<string, DeviceBuffer> = {};
    for (const [name, { shape }] of Object.entries(graph.outputs))
      outputs[name] = device.alloc('f32', elementCount(shape));
    try {
      await device.run(executable, { sizes: this.#sizes, inputs, outputs });
      for (const [name, buffer] of Object.entries(outputs)) yield [name, await device.read(buffer)];
    } finally {
      for (const buffer of Object.values(outputs)) device.free(buffer);
    }
  }

  read(name: string): Promise<HostArray> {
    return this.#parts.device.read(this.#variable(name));
  }

  #variable(name: string): DeviceBuffer {
    const buffer = this.#parts.parameters.variables.get(name);
    if (buffer !== undefined) return buffer;
    throw new ReceptanceError('MISSING_TENSOR', `the device shows no variable ${name}`);
  }

  #scalar(name: string, scalars: Scalars): DeviceBuffer {
    const value = scalars[name];
    if (value === undefined) throw new Error(`the graph wants a scalar ${name}`);
    const buffer = this.#scalars.get(name) ?? this.#parts.device.alloc('f32', 1);
    this.#scalars.set(name, buffer);
    this.#parts.device.write(buffer, [value]);
    return buffer;
  }
}
