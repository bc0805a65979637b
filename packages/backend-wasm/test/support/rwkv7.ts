import type { Checkpoint } from '@receptance/checkpoint';
import { openCheckpointFile } from '@receptance/checkpoint/node';
import {
  type Device,
  type DeviceBuffer,
  detectModel,
  type Executable,
  elementCount,
  greedyGraph,
  type HostArray,
  type LanguageModel,
  type Loop,
  logitsGraph,
  type Parameters,
  resetGraph,
  sampleGraph,
} from '@receptance/core';

const models = new URL('../../../conformance/golden/models/', import.meta.url);

/** Numbers of a golden file by tensor name. */
export interface Golden {
  numbers(name: string): Promise<Float64Array>;
  close(): Promise<void>;
}

export async function openGolden(file: string): Promise<Golden> {
  const source = await openCheckpointFile(new URL(file, models));
  return {
    async numbers(name) {
      const { dtype, shape } = source.tensors.get(name) ?? { dtype: 'f64', shape: [] };
      const bytes = await source.read(name);
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      return Float64Array.from({ length: elementCount(shape) }, (_, i) =>
        dtype === 'i32' ? view.getInt32(i * 4, true) : view.getFloat64(i * 8, true),
      );
    },
    close: () => source.close(),
  };
}

export async function openModel(file: string): Promise<{ weights: Checkpoint; model: LanguageModel }> {
  const weights = await openCheckpointFile(new URL(file, models));
  return { weights, model: detectModel(weights.tensors) };
}

export type Limits = Readonly<Record<'N' | 'S' | 'R' | 'Z', number>>;

/** A model on a device with its graphs compiled, and buffers made and freed around each run. */
export class Model {
  readonly device: Device;
  readonly parameters: Parameters;
  readonly vocabularySize: number;
  readonly #executables: Readonly<Record<'logits' | 'greedy' | 'sample' | 'reset', Executable>>;

  private constructor(
    device: Device,
    parameters: Parameters,
    vocabularySize: number,
    executables: Readonly<Record<'logits' | 'greedy' | 'sample' | 'reset', Executable>>,
  ) {
    this.device = device;
    this.parameters = parameters;
    this.vocabularySize = vocabularySize;
    this.#executables = executables;
  }

  static async load(device: Device, file: string, limits: Limits): Promise<Model> {
    const { weights, model } = await openModel(file);
    const graphs = {
      logits: logitsGraph(model),
      greedy: greedyGraph(model),
      sample: sampleGraph(model),
      reset: resetGraph(model),
    };
    const parameters = await device.loadParameters(weights, Object.values(graphs), { limits: { Z: limits.Z } });
    const compile = (graph: keyof typeof graphs): Promise<Executable> =>
      device.compile(graphs[graph], parameters, limits);
    const executables = {
      logits: await compile('logits'),
      greedy: await compile('greedy'),
      sample: await compile('sample'),
      reset: await compile('reset'),
    };
    await weights.close();
    return new Model(device, parameters, model.vocabularySize, executables);
  }

  free(): void {
    for (const executable of Object.values(this.#executables)) executable.free();
    this.parameters.free();
  }

  async reset(slots: readonly number[]): Promise<void> {
    await this.#run('reset', { S: slots.length }, { slots: ints(slots) }, {});
  }

  /** Logits [rows, V] after sequences of tokens, one a slot. */
  async logits(
    texts: readonly (readonly number[])[],
    slots: readonly number[],
    rows: readonly number[],
  ): Promise<HostArray> {
    const tokens = texts.flat();
    const sizes = { N: tokens.length, S: texts.length, R: rows.length };
    const inputs = { tokens: ints(tokens), starts: starts(texts), slots: ints(slots), rows: ints(rows) };
    const made = await this.#run('logits', sizes, inputs, { logits: ['f32', rows.length * this.vocabularySize] });
    return made['logits'] ?? new Float32Array();
  }

  /** The next token after each text; then `steps - 1` more, in the same call. */
  async greedy(texts: readonly (readonly number[])[], slots: readonly number[], steps = 1): Promise<number[]> {
    const tokens = texts.flat();
    const sizes = { N: tokens.length, S: texts.length, R: texts.length };
    const inputs = { tokens: ints(tokens), starts: starts(texts), slots: ints(slots), rows: lastRows(texts) };
    const loop = { steps, carry: steps > 1 ? { tokens: 'next' } : {}, feed: [], collect: ['next'] };
    const made = await this.#run('greedy', sizes, inputs, { next: ['i32', steps * texts.length] }, loop);
    return [...(made['next'] ?? [])];
  }

  /** As `greedy`, drawn: `u` holds a number for each step and text. */
  async sample(token: number, slot: number, settings: readonly number[], u: readonly number[]): Promise<number[]> {
    const inputs = {
      ...{ tokens: ints([token]), starts: ints([0, 1]), slots: ints([slot]), rows: ints([0]) },
      ...{ drawSlots: ints([slot]), settings: Float32Array.from(settings), u: Float32Array.from(u) },
    };
    const loop = { steps: u.length, carry: { tokens: 'next' }, feed: ['u'], collect: ['next'] };
    const made = await this.#run('sample', { N: 1, S: 1, R: 1 }, inputs, { next: ['i32', u.length] }, loop);
    return [...(made['next'] ?? [])];
  }

  async #run(
    graph: 'logits' | 'greedy' | 'sample' | 'reset',
    sizes: Readonly<Record<string, number>>,
    inputs: Readonly<Record<string, Int32Array | Float32Array>>,
    outputs: Readonly<Record<string, readonly ['f32' | 'i32', number]>>,
    loop?: Loop,
  ): Promise<Record<string, HostArray>> {
    const buffers: DeviceBuffer[] = [];
    const alloc = (dtype: 'f32' | 'i32', elements: number): DeviceBuffer => {
      const buffer = this.device.alloc(dtype, elements);
      buffers.push(buffer);
      return buffer;
    };
    try {
      const bound: Record<string, DeviceBuffer> = {};
      for (const [name, data] of Object.entries(inputs)) {
        const buffer = alloc(data instanceof Int32Array ? 'i32' : 'f32', data.length);
        this.device.write(buffer, data);
        bound[name] = buffer;
      }
      const made: Record<string, DeviceBuffer> = {};
      for (const [name, [dtype, elements]] of Object.entries(outputs)) made[name] = alloc(dtype, elements);
      await this.device.run(this.#executables[graph], { sizes, inputs: bound, outputs: made }, loop);
      const read: Record<string, HostArray> = {};
      for (const [name, buffer] of Object.entries(made)) read[name] = await this.device.read(buffer);
      return read;
    } finally {
      for (const buffer of buffers) this.device.free(buffer);
    }
  }
}

export function ints(numbers: Iterable<number>): Int32Array {
  return Int32Array.from(numbers);
}

export function starts(texts: readonly (readonly number[])[]): Int32Array {
  const ends = [0];
  for (const text of texts) ends.push((ends.at(-1) ?? 0) + text.length);
  return ints(ends);
}

function lastRows(texts: readonly (readonly number[])[]): Int32Array {
  return starts(texts)
    .subarray(1)
    .map((end) => end - 1);
}

export function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) return Number.POSITIVE_INFINITY;
  // Math.max is NaN when one of them is.
  return Array.from(a, (x, i) => Math.abs(x - (b[i] ?? Number.NaN))).reduce((most, x) => Math.max(most, x), 0);
}
