import {
  type Bindings,
  checkBindings,
  concreteShape,
  type Device,
  type DeviceBuffer,
  type DeviceInfo,
  type DType,
  type Executable,
  elementCount,
  type Graph,
  type HostArray,
  type KernelTable,
  type Loaded,
  type LoadOptions,
  type Loop,
  type Node,
  ONCE,
  type Parameters,
  type Plan,
  type Prepared,
  prepare,
  ReceptanceError,
  readWidened,
  resolveParameters,
  type Sizes,
  type Storage,
  supportedBy,
  type Value,
  type WeightSource,
} from '@receptance/core';
import type { Numbers, ReferenceKernel, Tensor } from './tensor.ts';

const INFO: DeviceInfo = { backend: 'reference', adapter: 'f64 interpreter', threads: 1, float: 'f64', ragged: true };

/** What a device hands out; of no use after `free`. */
abstract class Handle {
  freed = false;

  free(): void {
    this.freed = true;
  }
}

class ReferenceBuffer extends Handle implements DeviceBuffer {
  readonly dtype: 'f32' | 'i32';
  readonly data: Float64Array | Int32Array;

  constructor(dtype: 'f32' | 'i32', elements: number) {
    super();
    this.dtype = dtype;
    this.data = dtype === 'i32' ? new Int32Array(elements) : new Float64Array(elements);
  }

  get elements(): number {
    return this.data.length;
  }
}

class ReferenceParameters extends Handle implements Parameters {
  readonly loaded: Loaded;
  readonly frozen: ReadonlyMap<string, Numbers>;
  readonly variables: ReadonlyMap<string, ReferenceBuffer>;
  readonly bytes: number;

  constructor(loaded: Loaded, frozen: ReadonlyMap<string, Numbers>, variables: ReadonlyMap<string, ReferenceBuffer>) {
    super();
    this.loaded = loaded;
    this.frozen = frozen;
    this.variables = variables;
    const arrays = [...frozen.values(), ...[...variables.values()].map((buffer) => buffer.data)];
    this.bytes = arrays.reduce((sum, array) => sum + array.byteLength, 0);
  }

  override free(): void {
    super.free();
    for (const buffer of this.variables.values()) buffer.free();
  }
}

class ReferenceExecutable extends Handle implements Executable {
  readonly plan: Plan;
  readonly parameters: ReferenceParameters;
  readonly limits: Sizes;
  /** One for each step of the plan. */
  readonly kernels: readonly ReferenceKernel[];
  readonly constants: ReadonlyMap<number, Float64Array>;
  /** One array for each planned buffer; values take turns in it. */
  readonly buffers: readonly Float64Array[];

  constructor({ plan, kernels, limits }: Prepared<ReferenceKernel>, parameters: ReferenceParameters) {
    super();
    this.plan = plan;
    this.parameters = parameters;
    this.limits = limits;
    this.kernels = kernels;
    this.buffers = plan.buffers.map(({ bytes }) => new Float64Array(bytes / 4));
    this.constants = new Map(plan.graph.nodes.flatMap(constantOf));
  }

  get graph(): Graph {
    return this.plan.graph;
  }

  get memory(): Plan['memory'] {
    return this.plan.memory;
  }
}

/** The smallest array that holds numbers of a stored type exactly. */
function weightArray(stored: DType | undefined, elements: number): Numbers {
  if (stored === 'i32') return new Int32Array(elements);
  return stored === 'f64' ? new Float64Array(elements) : new Float32Array(elements);
}

function constantOf(node: Node): [number, Float64Array][] {
  const { data } = node.attrs;
  const value = node.outputs['y'];
  return node.op === 'constant' && Array.isArray(data) && value ? [[value.id, Float64Array.from(data, Number)]] : [];
}

/** One step of a run: where each named tensor lies. */
interface Frame {
  readonly executable: ReferenceExecutable;
  readonly sizes: Sizes;
  readonly bindings: Bindings;
  readonly loop: Loop;
  readonly step: number;
}

/** Interprets plans node by node. */
export class ReferenceDevice implements Device {
  readonly info: DeviceInfo = INFO;
  readonly #kernels: KernelTable<ReferenceKernel>;

  constructor(kernels: KernelTable<ReferenceKernel>) {
    this.#kernels = kernels;
  }

  supports(node: Node): true | string {
    return supportedBy(this.#kernels, INFO, node);
  }

  async loadParameters(
    source: WeightSource,
    uses: readonly Graph[],
    { limits = {}, signal, onProgress }: LoadOptions = {},
  ): Promise<Parameters> {
    const entries = resolveParameters(source, uses, limits);
    const frozen = new Map<string, Numbers>();
    const variables = new Map<string, ReferenceBuffer>();
    let done = 0;
    for (const { name, kind, value, elements, stored } of entries) {
      onProgress?.({ what: 'loading weights', done: done++, total: entries.length });
      const dtype = value.dtype === 'i32' ? 'i32' : 'f32';
      const buffer = kind === 'variable' ? new ReferenceBuffer(dtype, elements) : undefined;
      const data = buffer?.data ?? weightArray(stored?.dtype, elements);
      if (stored !== undefined) await readWidened(source, name, data, signal);
      if (buffer === undefined) frozen.set(name, data);
      else variables.set(name, buffer);
    }
    onProgress?.({ what: 'loading weights', done, total: entries.length });
    return new ReferenceParameters({ entries, limits }, frozen, variables);
  }

  async compile(graph: Graph, parameters: Parameters, limits: Sizes): Promise<Executable> {
    const own = this.#own(parameters, ReferenceParameters);
    return new ReferenceExecutable(prepare(graph, this.#kernels, INFO, own.loaded, limits), own);
  }

  alloc(dtype: 'f32' | 'i32', elements: number): DeviceBuffer {
    if (!Number.isSafeInteger(elements) || elements < 0) throw outOfRange(`a buffer of ${elements} elements`);
    return new ReferenceBuffer(dtype, elements);
  }

  free(buffer: DeviceBuffer): void {
    this.#own(buffer, ReferenceBuffer).free();
  }

  write(buffer: DeviceBuffer, data: HostArray | readonly number[], offset = 0): void {
    this.#range(buffer, offset, data.length).set(data);
  }

  async read(buffer: DeviceBuffer, offset = 0, elements: number = buffer.elements - offset): Promise<HostArray> {
    return this.#range(buffer, offset, elements).slice();
  }

  copy(from: DeviceBuffer, fromOffset: number, to: DeviceBuffer, toOffset: number, elements: number): void {
    if (from.dtype !== to.dtype) throw outOfRange(`a copy from ${from.dtype} to ${to.dtype}`);
    this.#range(to, toOffset, elements).set(this.#range(from, fromOffset, elements));
  }

  async run(executable: Executable, bindings: Bindings, loop: Loop = ONCE): Promise<void> {
    const own = this.#own(executable, ReferenceExecutable);
    this.#own(own.parameters, ReferenceParameters);
    const sizes = checkBindings(own.graph, own.limits, bindings, loop, own.parameters.variables.values());
    for (let step = 0; step < loop.steps; step++) {
      const frame: Frame = { executable: own, sizes, bindings, loop, step };
      own.plan.steps.forEach((node, i) => {
        const inputs = mapValues(node.inputs, (value) => this.#tensor(value, frame));
        const outputs = mapValues(node.outputs, (value) => this.#tensor(value, frame));
        for (const [name, value] of Object.entries(node.outputs)) {
          if (own.plan.storage.get(value.id)?.kind !== 'variable') outputs[name]?.data.fill(0);
        }
        own.kernels[i]?.run(inputs, outputs, node.attrs);
      });
      for (const { from, to } of own.plan.copies) {
        const source = this.#tensor(from, frame).data;
        this.#place({ kind: to.kind, name: to.name }, source.length, frame).set(source);
      }
      if (step + 1 === loop.steps) break;
      for (const [input, output] of Object.entries(loop.carry)) this.#carry(input, output, frame);
    }
  }

  async close(): Promise<void> {}

  #carry(input: string, output: string, frame: Frame): void {
    const value = frame.executable.graph.outputs[output];
    if (value === undefined) return;
    const elements = elementCount(value.shape, frame.sizes);
    const made = this.#place({ kind: 'output', name: output }, elements, frame);
    this.#place({ kind: 'input', name: input }, elements, frame).set(made);
  }

  #tensor(value: Value, frame: Frame): Tensor {
    const shape = concreteShape(value.shape, frame.sizes);
    const storage = frame.executable.plan.storage.get(value.id);
    if (storage === undefined) throw new Error(`value ${value.id} has no storage`);
    return { shape, data: this.#place(storage, elementCount(shape), frame) };
  }

  #place(storage: Storage, elements: number, { executable, bindings, loop, step }: Frame): Numbers {
    const { parameters } = executable;
    switch (storage.kind) {
      case 'parameter':
        return found(parameters.frozen.get(storage.name), storage.name);
      case 'variable':
        return found(parameters.variables.get(storage.name), storage.name).data;
      case 'constant':
        return found(executable.constants.get(storage.value), 'constant');
      case 'buffer':
        return found(executable.buffers[storage.index], 'buffer').subarray(0, elements);
      case 'input': {
        const offset = loop.feed.includes(storage.name) ? step * elements : 0;
        return this.#range(found(bindings.inputs[storage.name], storage.name), offset, elements);
      }
      case 'output': {
        const offset = loop.collect.includes(storage.name) ? step * elements : 0;
        return this.#range(found(bindings.outputs[storage.name], storage.name), offset, elements);
      }
    }
  }

  #range(buffer: DeviceBuffer, offset: number, elements: number): Float64Array | Int32Array {
    const { data } = this.#own(buffer, ReferenceBuffer);
    if (!(offset >= 0 && elements >= 0 && offset + elements <= data.length)) {
      throw outOfRange(`elements ${offset} to ${offset + elements} of a buffer of ${data.length}`);
    }
    return data.subarray(offset, offset + elements);
  }

  #own<T extends Handle>(object: unknown, type: abstract new (...args: never[]) => T): T {
    if (object instanceof type && !object.freed) return object;
    const problem = object instanceof type ? 'was freed' : 'belongs to another device or backend';
    throw new ReceptanceError('FOREIGN_OBJECT', `this ${problem}`, {
      hint: 'use buffers, parameters and executables with the device that made them, until they are freed',
    });
  }
}

function outOfRange(message: string): ReceptanceError {
  return new ReceptanceError('OUT_OF_RANGE', message, { hint: 'offsets and lengths count elements' });
}

function found<T>(value: T | undefined, name: string): T {
  if (value === undefined) {
    throw new ReceptanceError('MISSING_TENSOR', `${name} was not among the graphs that loadParameters was given`, {
      hint: 'pass every graph that will be compiled as a use',
    });
  }
  return value;
}

function mapValues(values: Node['inputs'], fn: (value: Value) => Tensor): Record<string, Tensor> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, fn(value)]));
}
