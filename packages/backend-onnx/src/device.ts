import { rm } from 'node:fs/promises';
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
import { OnnxBuffer, ownObject } from './buffer.ts';
import { type ExecutableTarget, OnnxExecutable } from './executable.ts';
import type { OnnxKernel } from './kernel.ts';
import { type LoadTarget, loadParameters, OnnxParameters } from './parameters.ts';
import type { Thread } from './worker/client.ts';

/** What a device is made of. */
export interface DeviceParts {
  readonly thread: Thread;
  readonly kernels: KernelTable<OnnxKernel>;
  readonly info: DeviceInfo;
  /** Of this device alone; gone when it is closed. */
  readonly folder: string;
  readonly target: ExecutableTarget['target'];
  readonly session: ExecutableTarget['session'];
}

/** ONNX Runtime in a thread of its own: this side checks, lowers and asks, in order. */
export class OnnxDevice implements Device {
  readonly info: DeviceInfo;
  readonly #parts: DeviceParts;
  #ids = 1;
  #isOpen = true;

  constructor(parts: DeviceParts) {
    this.info = parts.info;
    this.#parts = parts;
  }

  supports(node: Node): true | string {
    return supportedBy(this.#parts.kernels, this.info, node);
  }

  async loadParameters(source: WeightSource, uses: readonly Graph[], options: LoadOptions = {}): Promise<Parameters> {
    this.#checkOpen();
    return loadParameters(this.#loadTarget(), source, uses, options);
  }

  async compile(graph: Graph, parameters: Parameters, limits: Sizes): Promise<Executable> {
    this.#checkOpen();
    const own = ownObject(this, parameters, OnnxParameters);
    const { kernels } = this.#parts;
    const target: ExecutableTarget = { device: this, ...this.#parts, nextId: () => this.#ids++ };
    return new OnnxExecutable(target, prepare(graph, kernels, this.info, own.loaded, limits), own);
  }

  alloc(dtype: 'f32' | 'i32', elements: number): DeviceBuffer {
    this.#checkOpen();
    return this.#allocate(dtype, elements, false);
  }

  free(buffer: DeviceBuffer): void {
    this.#checkOpen();
    const own = ownObject(this, buffer, OnnxBuffer);
    if (own.isVariable) {
      throw new ReceptanceError('FOREIGN_OBJECT', 'a variable belongs to its parameters', {
        hint: 'free the parameters',
      });
    }
    own.freed = true;
    this.#parts.thread.post({ kind: 'free', buffer: own.id });
  }

  write(buffer: DeviceBuffer, data: HostArray | readonly number[], offset = 0): void {
    const own = this.#range(buffer, offset, data.length);
    const numbers = own.dtype === 'i32' ? Int32Array.from(data) : Float32Array.from(data);
    own.remember(numbers, offset);
    this.#parts.thread.post({ kind: 'write', buffer: own.id, data: numbers, offset }, [numbers.buffer]);
  }

  async read(buffer: DeviceBuffer, offset = 0, elements: number = buffer.elements - offset): Promise<HostArray> {
    const own = this.#range(buffer, offset, elements);
    const data = await this.#parts.thread.ask({ kind: 'read', buffer: own.id, offset, elements });
    return data ?? new Float32Array(0);
  }

  copy(from: DeviceBuffer, fromOffset: number, to: DeviceBuffer, toOffset: number, elements: number): void {
    const [source, target] = [this.#range(from, fromOffset, elements), this.#range(to, toOffset, elements)];
    if (source.dtype !== target.dtype) throw outOfRange(`a copy from ${source.dtype} to ${target.dtype}`);
    if (source === target && Math.abs(fromOffset - toOffset) < elements) {
      throw outOfRange(`a copy of ${elements} elements from ${fromOffset} to ${toOffset} of the same buffer`);
    }
    target.remember(source.mirror?.subarray(fromOffset, fromOffset + elements), toOffset);
    this.#parts.thread.post({ kind: 'copy', from: source.id, fromOffset, to: target.id, toOffset, elements });
  }

  async run(executable: Executable, bindings: Bindings, loop: Loop = ONCE): Promise<void> {
    this.#checkOpen();
    const own = ownObject(this, executable, OnnxExecutable);
    ownObject(this, own.parameters, OnnxParameters);
    const sizes = checkBindings(own.graph, own.limits, bindings, loop, own.parameters.variables.values());
    await own.run(sizes, bindings, loop);
  }

  async close(): Promise<void> {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    await this.#parts.thread.end();
    await rm(this.#parts.folder, { recursive: true, force: true });
  }

  #loadTarget(): LoadTarget {
    const { thread, folder } = this.#parts;
    return {
      ...{ device: this, thread, folder, nextId: () => this.#ids++ },
      allocate: (dtype, elements, isVariable) => this.#allocate(dtype, elements, isVariable),
    };
  }

  #allocate(dtype: 'f32' | 'i32', elements: number, isVariable: boolean): OnnxBuffer {
    if (!Number.isSafeInteger(elements) || elements < 0) throw outOfRange(`a buffer of ${elements} elements`);
    const data = zeros(dtype, elements);
    const buffer = new OnnxBuffer(this, this.#ids++, dtype, elements, isVariable);
    this.#parts.thread.post({ kind: 'alloc', buffer: buffer.id, data }, [data.buffer]);
    return buffer;
  }

  #checkOpen(): void {
    if (this.#isOpen) return;
    throw new ReceptanceError('DEVICE_CLOSED', 'the device is closed', { hint: 'open the backend again' });
  }

  #range(buffer: DeviceBuffer, offset: number, elements: number): OnnxBuffer {
    this.#checkOpen();
    const own = ownObject(this, buffer, OnnxBuffer);
    const inside = Number.isSafeInteger(offset) && Number.isSafeInteger(elements) && offset >= 0 && elements >= 0;
    if (inside && offset + elements <= own.elements) return own;
    throw outOfRange(`elements ${offset} to ${offset + elements} of a buffer of ${own.elements}`);
  }
}

function zeros(dtype: 'f32' | 'i32', elements: number): Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer> {
  try {
    return dtype === 'i32' ? new Int32Array(elements) : new Float32Array(elements);
  } catch (cause) {
    throw new ReceptanceError('OUT_OF_MEMORY', `there is no room for a buffer of ${elements} elements`, {
      hint: 'free what is not needed, or use fewer or smaller buffers',
      cause,
    });
  }
}

function outOfRange(message: string): ReceptanceError {
  return new ReceptanceError('OUT_OF_RANGE', message, {
    hint: 'offsets and lengths count elements; ranges do not overlap',
  });
}
