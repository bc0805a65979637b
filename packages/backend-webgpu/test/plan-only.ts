import {
  type Bindings,
  checkBindings,
  type Device,
  type DeviceBuffer,
  type Executable,
  elementCount,
  type Graph,
  type HostArray,
  type LoadOptions,
  type Loop,
  leaves,
  type Node,
  type Parameters,
  ReceptanceError,
  type Sizes,
  type WeightSource,
} from '@receptance/core';
import type { PlannedDispatch, WebGpuDevice } from '../src/device.ts';

interface Held extends Parameters {
  readonly source: WeightSource;
}

interface Compiled extends Executable {
  readonly parameters: Held;
}

/** A device on which nothing is computed: what would be dispatched is told, and every number read is 0. */
export class PlanOnlyDevice implements Device {
  readonly #device: WebGpuDevice;
  readonly #onRun: (graph: Graph, sizes: Sizes, dispatches: readonly PlannedDispatch[]) => void;

  constructor(device: WebGpuDevice, onRun: (graph: Graph, sizes: Sizes, made: readonly PlannedDispatch[]) => void) {
    this.#device = device;
    this.#onRun = onRun;
  }

  get info(): Device['info'] {
    return this.#device.info;
  }

  supports(node: Node): true | string {
    return this.#device.supports(node);
  }

  async loadParameters(source: WeightSource, uses: readonly Graph[], options: LoadOptions = {}): Promise<Held> {
    const variables = new Map<string, DeviceBuffer>();
    for (const [name, { dtype, shape }] of uses.flatMap((graph) => [...leaves(graph, 'variable')])) {
      variables.set(name, this.alloc(dtype === 'i32' ? 'i32' : 'f32', elementCount(shape, options.limits ?? {})));
    }
    return { source, variables, bytes: 0, free: () => {} };
  }

  async compile(graph: Graph, parameters: Parameters, limits: Sizes): Promise<Compiled> {
    const fullest = { forward: 0, again: 0, backward: 0 };
    const memory = { bufferBytes: 0, unsharedBytes: 0, buffers: 0, steps: 0, fullest };
    if (!('source' in parameters)) throw new Error('parameters of another device');
    return { graph, parameters: parameters as Held, limits, memory, free: () => {} };
  }

  alloc(dtype: 'f32' | 'i32', elements: number): DeviceBuffer {
    return { dtype, elements };
  }

  free(): void {}

  write(): void {}

  async read(buffer: DeviceBuffer, offset = 0, elements: number = buffer.elements - offset): Promise<HostArray> {
    return buffer.dtype === 'i32' ? new Int32Array(elements) : new Float32Array(elements);
  }

  copy(): void {}

  async run(executable: Executable, bindings: Bindings, loop?: Loop): Promise<void> {
    if (!('parameters' in executable)) {
      throw new ReceptanceError('FOREIGN_OBJECT', 'an executable of another device', { hint: 'compile it here' });
    }
    const { graph, limits, parameters } = executable as Compiled;
    const sizes = checkBindings(graph, limits, bindings, loop);
    this.#onRun(graph, sizes, this.#device.dispatches(parameters.source, graph, sizes, limits));
  }

  async close(): Promise<void> {}
}
