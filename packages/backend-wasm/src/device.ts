import {
  type Bindings,
  checkBindings,
  type Device,
  type DeviceBuffer,
  type DeviceInfo,
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
import { WasmExecutable } from './executable.ts';
import type { WasmKernel } from './kernel.ts';
import { LinearMemory } from './memory.ts';
import type { Kernels } from './module.ts';
import { loadParameters, WasmParameters } from './parameters.ts';

const INFO: DeviceInfo = { backend: 'wasm', adapter: 'simd128', threads: 1, float: 'f32', ragged: true };

/** Everything of one device lies in one linear memory; a run is one call into it. */
export class WasmDevice implements Device {
  readonly info: DeviceInfo = INFO;
  readonly #kernels: KernelTable<WasmKernel>;
  #open: { readonly code: Kernels; readonly memory: LinearMemory } | undefined;

  constructor(kernels: KernelTable<WasmKernel>, code: Kernels, memory: WebAssembly.Memory, most?: number) {
    this.#kernels = kernels;
    this.#open = { code, memory: new LinearMemory(memory, code.base, most) };
  }

  supports(node: Node): true | string {
    return supportedBy(this.#kernels, INFO, node);
  }

  async loadParameters(source: WeightSource, uses: readonly Graph[], options: LoadOptions = {}): Promise<Parameters> {
    return loadParameters(this, this.#opened().memory, source, uses, options);
  }

  async compile(graph: Graph, parameters: Parameters, limits: Sizes): Promise<Executable> {
    const { memory } = this.#opened();
    const own = ownObject(this, parameters, WasmParameters);
    return new WasmExecutable(this, memory, prepare(graph, this.#kernels, INFO, own.loaded, limits), own);
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
    memory.free(own.block);
  }

  write(buffer: DeviceBuffer, data: HostArray | readonly number[], offset = 0): void {
    this.#range(buffer, offset, data.length).set(data);
  }

  async read(buffer: DeviceBuffer, offset = 0, elements: number = buffer.elements - offset): Promise<HostArray> {
    return this.#range(buffer, offset, elements).slice();
  }

  copy(from: DeviceBuffer, fromOffset: number, to: DeviceBuffer, toOffset: number, elements: number): void {
    const [source, target] = [this.#range(from, fromOffset, elements), this.#range(to, toOffset, elements)];
    if (from.dtype !== to.dtype) throw outOfRange(`a copy from ${from.dtype} to ${to.dtype}`);
    target.set(source);
  }

  async run(executable: Executable, bindings: Bindings, loop: Loop = ONCE): Promise<void> {
    const { code } = this.#opened();
    const own = ownObject(this, executable, WasmExecutable);
    ownObject(this, own.parameters, WasmParameters);
    const sizes = checkBindings(own.graph, own.limits, bindings, loop, own.parameters.variables.values());
    try {
      own.run(code, sizes, bindings, loop);
    } catch (error) {
      if (!(error instanceof WebAssembly.RuntimeError)) throw error;
      this.#open = undefined;
      throw new ReceptanceError('DEVICE_ERROR', `a kernel of ${own.graph.name} trapped: ${error.message}`, {
        hint: 'the device is closed now; please report the graph and its sizes',
        cause: error,
      });
    }
  }

  async close(): Promise<void> {
    this.#open = undefined;
  }

  #opened(): { readonly code: Kernels; readonly memory: LinearMemory } {
    if (this.#open !== undefined) return this.#open;
    throw new ReceptanceError('DEVICE_CLOSED', 'the device is closed', { hint: 'open the backend again' });
  }

  #range(buffer: DeviceBuffer, offset: number, elements: number): Float32Array | Int32Array {
    const { memory } = this.#opened();
    const { dtype, elements: all, block } = ownObject(this, buffer, WasmBuffer);
    const inside = Number.isSafeInteger(offset) && Number.isSafeInteger(elements) && offset >= 0 && elements >= 0;
    if (!inside || offset + elements > all) {
      throw outOfRange(`elements ${offset} to ${offset + elements} of a buffer of ${all}`);
    }
    return memory.numbers(dtype, block.address + offset * 4, elements);
  }
}

function outOfRange(message: string): ReceptanceError {
  return new ReceptanceError('OUT_OF_RANGE', message, { hint: 'offsets and lengths count elements' });
}
