import {
  type Bindings,
  checkBindings,
  type Device,
  type DeviceBuffer,
  type DeviceInfo,
  decompose,
  type Executable,
  type Graph,
  type HostArray,
  type KernelTable,
  type LoadOptions,
  type Loop,
  type Node,
  ONCE,
  type Parameters,
  prepare,
  ReceptanceError,
  type Sizes,
  supportedBy,
  type WeightSource,
} from '@receptance/core';
import { ownObject, WasmBuffer } from './buffer.ts';
import type { Tables } from './chore.ts';
import type { Crate } from './crate.ts';
import type { Crew } from './crew.ts';
import { type ExecutableHost, WasmExecutable } from './executable.ts';
import type { WasmKernel } from './kernel.ts';
import type { Block, LinearMemory } from './memory.ts';
import type { Instance } from './module.ts';
import { loadParameters, type ParametersHost, WasmParameters } from './parameters.ts';
import { Timeline } from './timeline.ts';

/** Everything of one device lies in one linear memory; a run is one call into it, on each of its threads. */
export class WasmDevice implements Device {
  readonly info: DeviceInfo;
  readonly #kernels: KernelTable<WasmKernel>;
  readonly #timeline = new Timeline();
  readonly #lowered = new WeakMap<Graph, Graph>();
  #open: Opened | undefined;

  /** @param crew the threads that run programs; without one the calling thread does */
  constructor(kernels: KernelTable<WasmKernel>, instance: Instance, memory: LinearMemory, crew: Crew | undefined) {
    const { relaxed, memory64 } = instance.variant;
    const adapter = `${relaxed ? 'relaxed SIMD' : 'simd128'}${memory64 ? ', memory64' : ''}`;
    this.info = { backend: 'wasm', adapter, threads: crew?.size ?? 1, float: 'f32', ragged: true };
    this.#kernels = kernels;
    this.#open = { crate: instance.crate, memory, crew };
  }

  supports(node: Node): true | string {
    return supportedBy(this.#kernels, this.info, node);
  }

  async loadParameters(source: WeightSource, uses: readonly Graph[], options: LoadOptions = {}): Promise<Parameters> {
    return loadParameters(
      this.#host(),
      source,
      uses.map((graph) => this.#decomposed(graph)),
      options,
    );
  }

  async compile(graph: Graph, parameters: Parameters, limits: Sizes): Promise<Executable> {
    const host = this.#host();
    const own = ownObject(this, parameters, WasmParameters);
    return new WasmExecutable(
      host,
      prepare(this.#decomposed(graph), this.#kernels, this.info, own.loaded, limits, 'inPlace'),
      own,
    );
  }

  alloc(dtype: 'f32' | 'i32', elements: number): DeviceBuffer {
    const { memory } = this.#opened();
    if (!Number.isSafeInteger(elements) || elements < 0) throw outOfRange(`a buffer of ${elements} elements`);
    return new WasmBuffer(this, dtype, elements, memory.allocateZeroed(elements * 4), false);
  }

  free(buffer: DeviceBuffer): void {
    const { memory } = this.#opened();
    const own = ownObject(this, buffer, WasmBuffer);
    if (own.isVariable) {
      throw new ReceptanceError('FOREIGN_OBJECT', 'a variable belongs to its parameters', {
        hint: 'free the parameters',
      });
    }
    own.freed = true;
    this.#timeline.soon(() => memory.free(own.block));
  }

  write(buffer: DeviceBuffer, data: HostArray | readonly number[], offset = 0): void {
    const range = this.#range(buffer, offset, data.length);
    const kept = this.#timeline.busy ? data.slice() : data;
    this.#timeline.soon(() => range().set(kept));
  }

  async read(buffer: DeviceBuffer, offset = 0, elements: number = buffer.elements - offset): Promise<HostArray> {
    const range = this.#range(buffer, offset, elements);
    return this.#timeline.after(() => {
      this.#opened();
      const from = range();
      // A copy that no thread shares.
      return from instanceof Int32Array ? Int32Array.from(from) : Float32Array.from(from);
    });
  }

  copy(from: DeviceBuffer, fromOffset: number, to: DeviceBuffer, toOffset: number, elements: number): void {
    const [source, target] = [this.#range(from, fromOffset, elements), this.#range(to, toOffset, elements)];
    if (from.dtype !== to.dtype) throw outOfRange(`a copy from ${from.dtype} to ${to.dtype}`);
    this.#timeline.soon(() => target().set(source()));
  }

  async run(executable: Executable, bindings: Bindings, loop: Loop = ONCE): Promise<void> {
    this.#opened();
    const own = ownObject(this, executable, WasmExecutable);
    ownObject(this, own.parameters, WasmParameters);
    const sizes = checkBindings(own.graph, own.limits, bindings, loop, own.parameters.variables.values());
    const { write, tables } = own.prepareRun(sizes, bindings, loop);
    await this.#timeline.after(() => {
      this.#opened();
      write();
      return this.#execute(own.graph.name, tables);
    });
  }

  async close(): Promise<void> {
    const crew = this.#open?.crew;
    this.#open = undefined;
    crew?.close();
  }

  /** Composites without a kernel as what they are made of: asked for when weights are loaded, and when graphs are compiled. */
  #decomposed(graph: Graph): Graph {
    const made = this.#lowered.get(graph) ?? decompose(graph, (node) => this.supports(node) === true);
    this.#lowered.set(graph, made);
    return made;
  }

  /** On the calling thread before this returns, when there is no crew or it is not wanted. */
  async #execute(name: string, tables: Tables, where: 'everywhere' | 'here' = 'everywhere'): Promise<void> {
    const { crate, crew, memory } = this.#opened();
    if (crew === undefined || where === 'here') this.#runHere(crate, name, tables);
    else await crew.run(...tables).catch((error) => this.#fail(error));
    const [damaged] = memory.damaged();
    if (damaged !== undefined) this.#fail(overwritten(name, damaged));
  }

  #runHere(crate: Crate, name: string, tables: Tables): void {
    try {
      crate.run(...tables);
    } catch (error) {
      if (!(error instanceof WebAssembly.RuntimeError)) throw error;
      this.#fail(
        new ReceptanceError('DEVICE_ERROR', `a kernel of ${name} trapped: ${error.message}`, {
          hint: 'the device is closed now; please report the graph and its sizes',
          cause: error,
        }),
      );
    }
  }

  /** Whatever went wrong in the middle of a program, the memory is in no known state after it. */
  #fail(error: unknown): never {
    this.#open = undefined;
    throw error;
  }

  #opened(): Opened {
    if (this.#open !== undefined) return this.#open;
    throw new ReceptanceError('DEVICE_CLOSED', 'the device is closed', { hint: 'open the backend again' });
  }

  #host(): ExecutableHost & ParametersHost {
    const { memory, crate } = this.#opened();
    return {
      ...{ device: this, memory, crate, threads: this.info.threads },
      execute: (tables, where) => this.#timeline.after(() => this.#execute('loading', tables, where)),
      release: (blocks) => this.#timeline.soon(() => blocks.free()),
    };
  }

  /** A view of some elements, made when it is used: memory that grows meanwhile would leave it behind. */
  #range(buffer: DeviceBuffer, offset: number, elements: number): () => Float32Array | Int32Array {
    const { memory } = this.#opened();
    const { dtype, elements: all, block } = ownObject(this, buffer, WasmBuffer);
    const inside = Number.isSafeInteger(offset) && Number.isSafeInteger(elements) && offset >= 0 && elements >= 0;
    if (!inside || offset + elements > all) {
      throw outOfRange(`elements ${offset} to ${offset + elements} of a buffer of ${all}`);
    }
    return () => memory.numbers(dtype, block.address + offset * 4, elements);
  }
}

/** What a device has until it is closed. */
interface Opened {
  readonly crate: Crate;
  readonly memory: LinearMemory;
  readonly crew: Crew | undefined;
}

function outOfRange(message: string): ReceptanceError {
  return new ReceptanceError('OUT_OF_RANGE', message, { hint: 'offsets and lengths count elements' });
}

function overwritten(graph: string, { address, bytes }: Block): ReceptanceError {
  return new ReceptanceError('DEVICE_ERROR', `a kernel of ${graph} wrote next to the ${bytes} bytes at ${address}`, {
    hint: 'the device is closed now; compare what the kernel writes with the shape of its output',
  });
}
