import {
  type Graph,
  type Loaded,
  type LoadOptions,
  type Parameters,
  ReceptanceError,
  resolveParameters,
  type Sizes,
  type WeightSource,
  widenedPieces,
} from '@receptance/core';
import type { Faults } from './faults.ts';
import {
  checkSize,
  Handle,
  type Handles,
  largestBinding,
  Memory,
  type Range,
  type Room,
  WebGpuBuffer,
} from './memory.ts';
import { type PlacedTensor, type Placements, place, usesOf } from './placement.ts';
import { uploads } from './upload.ts';
import { CHUNK_BYTES, type Weight } from './weight.ts';

/** Bytes in flight to the GPU before loading waits for it. */
const IN_FLIGHT_BYTES = 64 << 20;

/** A model's weights in GPU memory that they share, and its variables, each in a buffer of its own. */
export class WebGpuParameters extends Handle implements Parameters {
  readonly loaded: Loaded;
  readonly variables: ReadonlyMap<string, WebGpuBuffer>;
  readonly #weights: ReadonlyMap<string, PlacedTensor>;
  readonly #arenas: readonly Memory[];

  constructor(handles: Handles, loaded: Loaded, holds: Holds) {
    super(handles);
    this.loaded = loaded;
    this.variables = holds.variables;
    this.#weights = new Map(holds.tensors.map((tensor) => [tensor.entry.name, tensor]));
    this.#arenas = holds.arenas;
  }

  get bytes(): number {
    const memories = [...this.#arenas, ...[...this.variables.values()].map(({ memory }) => memory)];
    return memories.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /** A weight as shaders that know formats read it. */
  weight(name: string): Weight | undefined {
    const tensor = this.#weights.get(name);
    if (tensor === undefined) return undefined;
    const parts = tensor.parts.flatMap(({ arena, at, firstRow, rows }) => {
      const operand = this.#arenas[arena];
      return operand === undefined ? [] : [{ operand, at: at / CHUNK_BYTES, firstRow, rows }];
    });
    return { ...tensor, parts };
  }

  /** Where the row-major f32 or i32 numbers of a weight or a variable lie. @throws ReceptanceError `BAD_KERNEL` */
  range(name: string): Range | undefined {
    const variable = this.variables.get(name);
    if (variable !== undefined) return { memory: variable.memory };
    const tensor = this.#weights.get(name);
    const [part, ...more] = tensor?.parts ?? [];
    const memory = this.#arenas[part?.arena ?? -1];
    if (tensor === undefined || part === undefined || memory === undefined) return undefined;
    if (tensor.format !== 'f32' || tensor.flipped || more.length > 0) {
      const how = tensor.flipped ? 'turned' : more.length > 0 ? 'split' : tensor.format;
      throw new ReceptanceError('BAD_KERNEL', `weight ${name} is bound as row-major f32, but held ${how}`, {
        hint: 'a kernel that takes weights asks its context how each lies, as linear and gather do',
      });
    }
    return { memory, offset: part.at, size: Math.max(16, tensor.rows * tensor.columns * 4) };
  }

  override free(): void {
    super.free();
    for (const variable of this.variables.values()) variable.free();
    for (const arena of this.#arenas) arena.destroy();
  }
}

interface Holds {
  readonly variables: ReadonlyMap<string, WebGpuBuffer>;
  readonly tensors: readonly PlacedTensor[];
  readonly arenas: readonly Memory[];
}

/** Where tensors go, and who is told what went wrong there. */
export interface Target extends Room {
  readonly handles: Handles;
  readonly faults: Faults;
  /** Bytes that one binding of weights may have: the adapter's limit, or less. */
  readonly most?: number | undefined;
}

/** Bytes that one piece of memory for weights may have. */
function mostOf({ gpu, most = Number.POSITIVE_INFINITY }: Target): number {
  return Math.min(most, largestBinding(gpu));
}

/** Brings weights to the GPU as they are stored, piece by piece: the host never holds more than a matrix that is turned. */
export async function loadParameters(
  target: Target,
  source: WeightSource,
  uses: readonly Graph[],
  options: LoadOptions,
): Promise<WebGpuParameters> {
  const { handles, gpu, faults } = target;
  const { limits = {} } = options;
  const entries = resolveParameters(source, uses, limits);
  const variables = new Map<string, WebGpuBuffer>();
  const arenas: Memory[] = [];
  const parameters = entries.filter(({ kind }) => kind === 'parameter');
  const placements = place(parameters, usesOf(uses), mostOf(target));
  const held = { variables, tensors: placements.tensors, arenas };
  const made = (): WebGpuParameters => new WebGpuParameters(handles, { entries, limits }, held);
  const pools = entries.filter(({ kind }) => kind === 'variable');
  for (const { name, elements } of pools) checkSize(gpu, `tensor ${name}`, elements);
  try {
    const total = placements.arenas.reduce((sum, { bytes }) => sum + bytes, 0);
    let taken = 0;
    for (const { label, bytes } of placements.arenas) {
      const what = `${label}, ${megabytes(bytes)}, after ${megabytes(taken)} of ${megabytes(total)} of weights`;
      arenas.push(faults.guard(what, () => Memory.forStorage(target, label, Math.ceil(bytes / 4))));
      await faults.settle();
      taken += bytes;
    }
    for (const { name, value, elements } of pools) {
      const memory = faults.guard(`variable ${name}`, () => Memory.forStorage(target, name, elements));
      variables.set(name, new WebGpuBuffer(handles, value.dtype === 'i32' ? 'i32' : 'f32', elements, memory));
    }
    await faults.settle();
    await fill(target, source, held, placements, options);
    return made();
  } catch (error) {
    made().free();
    throw error;
  }
}

/** As they would be loaded, in name: arenas of no size stand for those of the weights, and there are no variables. */
export function plannedParameters(
  target: Target,
  tensors: WeightSource['tensors'],
  uses: readonly Graph[],
  limits: Sizes,
): WebGpuParameters {
  const entries = resolveParameters(
    { tensors, read: () => Promise.reject(new Error('nothing is read')) },
    uses,
    limits,
  );
  const parameters = entries.filter(({ kind }) => kind === 'parameter');
  const placements = place(parameters, usesOf(uses), mostOf(target));
  const arenas = placements.arenas.map(({ label }) => Memory.forStorage(target, label, 0));
  return new WebGpuParameters(
    target.handles,
    { entries, limits },
    { variables: new Map(), tensors: placements.tensors, arenas },
  );
}

async function fill(
  { gpu, faults }: Target,
  source: WeightSource,
  { variables, arenas }: Holds,
  { tensors }: Placements,
  { signal, onProgress }: LoadOptions,
): Promise<void> {
  const filled = [...variables].filter(([name]) => source.tensors.has(name));
  const bytesOf = (name: string): number => source.tensors.get(name)?.bytes ?? 0;
  const names = [...tensors.map(({ entry }) => entry.name), ...filled.map(([name]) => name)];
  const total = names.reduce((sum, name) => sum + bytesOf(name), 0);
  let done = 0;
  let inFlight = 0;
  const write = async (name: string, memory: Memory | undefined, at: number, data: Uint8Array<ArrayBuffer>) => {
    if (memory === undefined || data.byteLength === 0) return;
    faults.guard(`tensor ${name}`, () => gpu.queue.writeBuffer(memory.gpu, at, data));
    inFlight += data.byteLength;
    if (inFlight < IN_FLIGHT_BYTES) return;
    // Where it fails the device is lost, which is told below.
    await gpu.queue.onSubmittedWorkDone().catch(() => undefined);
    faults.check();
    inFlight = 0;
  };
  const report = (): void => onProgress?.({ what: 'loading weights', done, total });
  report();
  for (const tensor of tensors) {
    const { name } = tensor.entry;
    let sent = 0;
    for await (const { part, at, data } of uploads(source, tensor, signal)) {
      const own = tensor.parts[part];
      await write(name, arenas[own?.arena ?? -1], (own?.at ?? 0) + at, data);
      sent += data.byteLength;
      onProgress?.({ what: 'loading weights', done: done + Math.min(sent, bytesOf(name)), total });
    }
    done += bytesOf(name);
  }
  for (const [name, { dtype, memory }] of filled) {
    for await (const { offset, data } of widenedPieces(source, name, dtype, signal)) {
      await write(name, memory, offset * 4, new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    }
    done += bytesOf(name);
    report();
  }
  await faults.settle();
  report();
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
