/** A backend in plain JavaScript, as small as the contract allows. `../add-a-backend.md` walks through it. */
import * as core from '@receptance/core';
import { type ExampleKernel, kernels, type Numbers, type Tensor } from './kernels.ts';

const INFO: core.DeviceInfo = {
  ...{ backend: 'example', adapter: 'plain JavaScript', threads: 1, float: 'f32', ragged: true },
};

interface Loaded extends core.Loaded {
  readonly tensors: ReadonlyMap<string, Numbers>;
}

interface Compiled extends core.Prepared<ExampleKernel> {
  readonly parameters: core.Parameters;
  /** Values take turns in these. */
  readonly buffers: readonly ArrayBuffer[];
  readonly constants: ReadonlyMap<number, Numbers>;
}

const arrayOf = (dtype: core.DType): Int32ArrayConstructor | Float32ArrayConstructor =>
  dtype === 'i32' ? Int32Array : Float32Array;

class ExampleDevice implements core.Device {
  readonly info: core.DeviceInfo = INFO;
  // What is handed out is empty; what it stands for is here. So a handle of another device, or one freed, is not found.
  readonly #memory = new Map<core.DeviceBuffer, Numbers>();
  readonly #loaded = new Map<core.Parameters, Loaded>();
  readonly #compiled = new Map<core.Executable, Compiled>();

  supports(node: core.Node): true | string {
    return core.supportedBy(kernels, INFO, node);
  }

  async loadParameters(
    source: core.WeightSource,
    uses: readonly core.Graph[],
    { limits = {}, signal, onProgress }: core.LoadOptions = {},
  ): Promise<core.Parameters> {
    const entries = core.resolveParameters(source, uses, limits);
    const tensors = new Map<string, Numbers>();
    for (const { name, value, elements, stored } of entries) {
      const data = new (arrayOf(value.dtype))(elements);
      if (stored !== undefined) await core.readWidened(source, name, data, signal);
      tensors.set(name, data);
      onProgress?.({ what: 'loading weights', done: tensors.size, total: entries.length });
    }
    const variables = new Map<string, core.DeviceBuffer>();
    for (const { name, kind } of entries) {
      const data = tensors.get(name);
      if (kind === 'variable' && data !== undefined) variables.set(name, this.#handOut(data));
    }
    const bytes = [...tensors.values()].reduce((sum, { byteLength }) => sum + byteLength, 0);
    const free = (): void => {
      for (const buffer of variables.values()) this.#memory.delete(buffer);
      this.#loaded.delete(parameters);
    };
    const parameters: core.Parameters = { bytes, variables, free };
    this.#loaded.set(parameters, { entries, limits, tensors });
    return parameters;
  }

  async compile(graph: core.Graph, parameters: core.Parameters, limits: core.Sizes): Promise<core.Executable> {
    const prepared = core.prepare(graph, kernels, INFO, own(this.#loaded, parameters), limits);
    const { plan } = prepared;
    const constants = new Map<number, Numbers>();
    for (const { op, attrs, outputs } of plan.graph.nodes) {
      const [data, y] = [attrs['data'], outputs['y']];
      if (op !== 'constant' || !Array.isArray(data) || y === undefined) continue;
      const numbers = new (arrayOf(y.dtype))(data.length);
      numbers.set(data.map(Number));
      constants.set(y.id, numbers);
    }
    const free = (): void => {
      this.#compiled.delete(executable);
    };
    const executable: core.Executable = { graph: plan.graph, limits: prepared.limits, memory: plan.memory, free };
    const buffers = plan.buffers.map(({ bytes }) => new ArrayBuffer(bytes));
    this.#compiled.set(executable, { ...prepared, parameters, buffers, constants });
    return executable;
  }

  alloc(dtype: 'f32' | 'i32', elements: number): core.DeviceBuffer {
    if (!Number.isSafeInteger(elements) || elements < 0) throw outOfRange(`${elements} elements`);
    return this.#handOut(new (arrayOf(dtype))(elements));
  }

  free(buffer: core.DeviceBuffer): void {
    own(this.#memory, buffer);
    this.#memory.delete(buffer);
  }

  write(buffer: core.DeviceBuffer, data: core.HostArray | readonly number[], offset = 0): void {
    this.#range(buffer, offset, data.length).set(data);
  }

  async read(buffer: core.DeviceBuffer, offset = 0, elements = buffer.elements - offset): Promise<core.HostArray> {
    return this.#range(buffer, offset, elements).slice();
  }

  copy(from: core.DeviceBuffer, fromOffset: number, to: core.DeviceBuffer, toOffset: number, elements: number): void {
    if (from.dtype !== to.dtype) throw outOfRange(`a copy from ${from.dtype} to ${to.dtype}`);
    this.#range(to, toOffset, elements).set(this.#range(from, fromOffset, elements));
  }

  async run(executable: core.Executable, bindings: core.Bindings, loop: core.Loop = core.ONCE): Promise<void> {
    const { plan, limits, kernels: chosen, parameters, buffers, constants } = own(this.#compiled, executable);
    const { tensors } = own(this.#loaded, parameters);
    const sizes = core.checkBindings(plan.graph, limits, bindings, loop, parameters.variables.values());
    const place = (at: core.Storage | undefined, elements: number, dtype: core.DType, step: number): Numbers => {
      const named = at !== undefined && 'name' in at ? at.name : '';
      switch (at?.kind) {
        case 'parameter':
        case 'variable':
          return tensors.get(named) ?? missing(at);
        case 'constant':
          return constants.get(at.value) ?? missing(at);
        case 'buffer':
          return new (arrayOf(dtype))(buffers[at.index] ?? missing(at), 0, elements);
        case 'input':
          return this.#range(bindings.inputs[named], loop.feed.includes(named) ? step * elements : 0, elements);
        case 'output':
          return this.#range(bindings.outputs[named], loop.collect.includes(named) ? step * elements : 0, elements);
        default:
          return missing(at);
      }
    };
    const tensorsOf = (values: core.Node['inputs'], step: number): Record<string, Tensor> =>
      Object.fromEntries(
        Object.entries(values).map(([name, { id, dtype, shape: symbolic }]) => {
          const shape = core.concreteShape(symbolic, sizes);
          return [name, { shape, data: place(plan.storage.get(id), core.elementCount(shape), dtype, step) }];
        }),
      );
    for (let step = 0; step < loop.steps; step++) {
      plan.steps.forEach(({ inputs, outputs, attrs }, i) => {
        chosen[i]?.run(tensorsOf(inputs, step), tensorsOf(outputs, step), attrs);
      });
      for (const { from, to } of plan.copies) {
        const { data } = tensorsOf({ from }, step)['from'] ?? missing(from);
        place(to, data.length, from.dtype, step).set(data);
      }
      if (step + 1 === loop.steps) break;
      for (const [input, output] of Object.entries(loop.carry)) {
        const { dtype, shape } = plan.graph.outputs[output] ?? missing(output);
        const elements = core.elementCount(shape, sizes);
        const made = place({ kind: 'output', name: output }, elements, dtype, step);
        place({ kind: 'input', name: input }, elements, dtype, step).set(made);
      }
    }
  }

  async close(): Promise<void> {}

  #handOut(data: Numbers): core.DeviceBuffer {
    const buffer = { dtype: data instanceof Int32Array ? 'i32' : 'f32', elements: data.length } as const;
    this.#memory.set(buffer, data);
    return buffer;
  }

  #range(buffer: core.DeviceBuffer | undefined, offset: number, elements: number): Numbers {
    const data = own(this.#memory, buffer);
    const inside = offset >= 0 && elements >= 0 && offset + elements <= data.length;
    if (!inside) throw outOfRange(`elements ${offset} to ${offset + elements} of a buffer of ${data.length}`);
    return data.subarray(offset, offset + elements);
  }
}

function own<K, V>(known: ReadonlyMap<K, V>, handle: K | undefined): V {
  const found = handle === undefined ? undefined : known.get(handle);
  if (found !== undefined) return found;
  throw new core.ReceptanceError('FOREIGN_OBJECT', 'this is of another device, or was freed', {
    hint: 'use what a device made with that device, until it is freed',
  });
}

function outOfRange(message: string): core.ReceptanceError {
  return new core.ReceptanceError('OUT_OF_RANGE', message, { hint: 'offsets and lengths count elements' });
}

/** What core promises is not there: a mistake in core or here, never of the caller. */
function missing(what: unknown): never {
  throw new Error(`${JSON.stringify(what)} has no place`);
}

export function example(): core.Backend {
  return { specVersion: 1, name: 'example', open: async () => new ExampleDevice() };
}
