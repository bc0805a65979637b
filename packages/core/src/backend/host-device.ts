import { ReceptanceError } from '../errors.ts';
import type { Signature } from '../ir/definition.ts';
import { concreteShape, elementCount } from '../ir/shape.ts';
import type { Graph, Node, Sizes, Value } from '../ir/types.ts';
import type { OpName, SignatureOf } from '../ops/index.ts';
import type { Storage } from '../plan/storage.ts';
import type { DType, WeightSource } from '../weights/weights.ts';
import { readWidened } from '../weights/widen.ts';
import { checkBindings, ONCE } from './bindings.ts';
import type {
  Bindings,
  Device,
  DeviceBuffer,
  DeviceInfo,
  Executable,
  HostArray,
  LoadOptions,
  Loop,
  Parameters,
} from './contract.ts';
import { arrayOf, type Handle, HostBuffer, HostExecutable, HostParameters } from './host-memory.ts';
import type { Kernel, KernelTable } from './kernels.ts';
import { resolveParameters } from './parameters.ts';
import { prepare, supportedBy } from './prepare.ts';

/** Numbers in row-major order. Activations are of the device's float; a weight that f32 holds exactly is a Float32Array. */
export interface HostTensor {
  readonly data: HostArray;
  readonly shape: readonly number[];
}

type TensorsOf<S extends Signature> = string extends S['inputs']
  ? Readonly<Record<string, HostTensor | undefined>>
  : { readonly [Name in S['inputs']]: HostTensor } & { readonly [Name in S['optional']]?: HostTensor | undefined };
type ResultsOf<S extends Signature> = { readonly [Name in S['outputs']]: HostTensor };

/**
 * How an op is computed in JavaScript: reads `x`, fills `y`, both by the names in the op's file. Outputs come zeroed, but the
 * state outputs of the pooled form, which are the pools themselves.
 */
export interface HostKernel<S extends Signature = Signature> extends Kernel {
  run(x: TensorsOf<S>, y: ResultsOf<S>, attrs: S['attrs']): void;
}

export type HostKernelOf<Op extends OpName> = HostKernel<SignatureOf<Op>>;

/** One step of a run: where each named tensor lies. */
interface Frame {
  readonly executable: HostExecutable;
  readonly sizes: Sizes;
  readonly bindings: Bindings;
  readonly loop: Loop;
  readonly step: number;
}

/**
 * A device whose memory is arrays of the host: it interprets plans node by node, each by a kernel in JavaScript. It is the
 * contract in its plainest form, too: where a backend of another kind begins to read.
 */
export class HostDevice implements Device {
  readonly info: DeviceInfo;
  readonly #kernels: KernelTable<HostKernel>;

  /** @param info its `float` says what activations are held in */
  constructor(info: DeviceInfo, kernels: KernelTable<HostKernel>) {
    this.info = info;
    this.#kernels = kernels;
  }

  supports(node: Node): true | string {
    return supportedBy(this.#kernels, this.info, node);
  }

  async loadParameters(
    source: WeightSource,
    uses: readonly Graph[],
    { limits = {}, signal, onProgress }: LoadOptions = {},
  ): Promise<Parameters> {
    const entries = resolveParameters(source, uses, limits);
    const frozen = new Map<string, HostArray>();
    const variables = new Map<string, HostBuffer>();
    let done = 0;
    for (const { name, kind, value, elements, stored } of entries) {
      onProgress?.({ what: 'loading weights', done: done++, total: entries.length });
      const dtype = value.dtype === 'i32' ? 'i32' : 'f32';
      const buffer = kind === 'variable' ? new HostBuffer(this, dtype, elements) : undefined;
      const data = buffer?.data ?? this.#weights(stored?.dtype, elements);
      if (stored !== undefined) await readWidened(source, name, data, signal);
      if (buffer === undefined) frozen.set(name, data);
      else variables.set(name, buffer);
    }
    onProgress?.({ what: 'loading weights', done, total: entries.length });
    return new HostParameters(this, { entries, limits }, frozen, variables);
  }

  async compile(graph: Graph, parameters: Parameters, limits: Sizes): Promise<Executable> {
    const own = this.#own(parameters, HostParameters);
    return new HostExecutable(this, prepare(graph, this.#kernels, this.info, own.loaded, limits, 'inPlace'), own);
  }

  alloc(dtype: 'f32' | 'i32', elements: number): DeviceBuffer {
    if (!Number.isSafeInteger(elements) || elements < 0) throw outOfRange(`a buffer of ${elements} elements`);
    return new HostBuffer(this, dtype, elements);
  }

  free(buffer: DeviceBuffer): void {
    this.#own(buffer, HostBuffer).free();
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
    const own = this.#own(executable, HostExecutable);
    this.#own(own.parameters, HostParameters);
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
        this.#place(to, from.dtype, source.length, frame).set(source);
      }
      if (step + 1 === loop.steps) break;
      for (const [input, output] of Object.entries(loop.carry)) this.#carry(input, output, frame);
    }
  }

  async close(): Promise<void> {}

  /** The smallest array that holds numbers of a stored type as well as the device can. */
  #weights(stored: DType | undefined, elements: number): HostArray {
    const exact = stored === 'i32' || stored === 'f64';
    return new (exact ? arrayOf(this.info, stored) : Float32Array)(elements);
  }

  #carry(input: string, output: string, frame: Frame): void {
    const value = frame.executable.graph.outputs[output];
    if (value === undefined) return;
    const elements = elementCount(value.shape, frame.sizes);
    const made = this.#place({ kind: 'output', name: output }, value.dtype, elements, frame);
    this.#place({ kind: 'input', name: input }, value.dtype, elements, frame).set(made);
  }

  #tensor(value: Value, frame: Frame): HostTensor {
    const shape = concreteShape(value.shape, frame.sizes);
    const storage = frame.executable.plan.storage.get(value.id);
    if (storage === undefined) throw new Error(`value ${value.id} has no storage`);
    return { shape, data: this.#place(storage, value.dtype, elementCount(shape), frame) };
  }

  #place(storage: Storage, dtype: DType, elements: number, { executable, bindings, loop, step }: Frame): HostArray {
    const { parameters } = executable;
    switch (storage.kind) {
      case 'parameter':
        return found(parameters.frozen.get(storage.name), storage.name);
      case 'variable':
        return found(parameters.variables.get(storage.name), storage.name).data;
      case 'constant':
        return found(executable.constants.get(storage.value), 'constant');
      case 'buffer':
        return new (arrayOf(this.info, dtype))(found(executable.buffers[storage.index], 'buffer'), 0, elements);
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

  #range(buffer: DeviceBuffer, offset: number, elements: number): HostArray {
    const { data } = this.#own(buffer, HostBuffer);
    if (!(offset >= 0 && elements >= 0 && offset + elements <= data.length)) {
      throw outOfRange(`elements ${offset} to ${offset + elements} of a buffer of ${data.length}`);
    }
    return data.subarray(offset, offset + elements);
  }

  #own<T extends Handle>(object: unknown, type: abstract new (...args: never[]) => T): T {
    if (object instanceof type && object.owner === this) return object;
    throw new ReceptanceError('FOREIGN_OBJECT', 'this belongs to another device or backend, or was freed', {
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

function mapValues(values: Node['inputs'], fn: (value: Value) => HostTensor): Record<string, HostTensor> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, fn(value)]));
}
