import {
  type Graph,
  type LoadOptions,
  type ParameterEntry,
  type Parameters,
  resolveParameters,
  type Sizes,
  type WeightSource,
  widenedPieces,
} from '@receptance/core';
import type { Faults } from './faults.ts';
import { Memory, WebGpuBuffer } from './memory.ts';

/** Bytes in flight to the GPU before loading waits for it. */
const IN_FLIGHT_BYTES = 64 << 20;

/** A model's tensors in GPU memory, one buffer each. */
export class WebGpuParameters implements Parameters {
  readonly owner: object;
  readonly limits: Sizes;
  readonly variables: ReadonlyMap<string, WebGpuBuffer>;
  readonly #tensors: ReadonlyMap<string, WebGpuBuffer>;

  constructor(
    owner: object,
    entries: readonly ParameterEntry[],
    tensors: ReadonlyMap<string, WebGpuBuffer>,
    limits: Sizes,
  ) {
    this.owner = owner;
    this.limits = limits;
    this.#tensors = tensors;
    this.variables = new Map([...tensors].filter(([name]) => isVariable(entries, name)));
  }

  get bytes(): number {
    return [...this.#tensors.values()].reduce((sum, { memory }) => sum + memory.bytes, 0);
  }

  get(name: string): WebGpuBuffer | undefined {
    return this.#tensors.get(name);
  }

  free(): void {
    for (const { memory } of this.#tensors.values()) memory.destroy();
  }
}

function isVariable(entries: readonly ParameterEntry[], name: string): boolean {
  return entries.some((entry) => entry.name === name && entry.kind === 'variable');
}

/** Where tensors go, and who is told what went wrong there. */
export interface Target {
  readonly owner: object;
  readonly gpu: GPUDevice;
  readonly faults: Faults;
}

/** Brings weights to the GPU as f32, piece by piece: the host never holds a whole tensor. */
export async function loadParameters(
  { owner, gpu, faults }: Target,
  source: WeightSource,
  uses: readonly Graph[],
  { limits = {}, signal, onProgress }: LoadOptions,
): Promise<WebGpuParameters> {
  const entries = resolveParameters(source, uses, limits);
  const tensors = new Map<string, WebGpuBuffer>();
  const total = entries.reduce((sum, { elements }) => sum + elements * 4, 0);
  let done = 0;
  let inFlight = 0;
  const parameters = (): WebGpuParameters => new WebGpuParameters(owner, entries, tensors, limits);
  try {
    for (const { name, value, elements } of entries) {
      const memory = faults.guard(`tensor ${name}`, () => Memory.forStorage(gpu, name, elements));
      tensors.set(name, new WebGpuBuffer(owner, value.dtype === 'i32' ? 'i32' : 'f32', elements, memory));
    }
    await faults.settle();
    for (const { name, value, elements, stored } of entries) {
      const target = tensors.get(name);
      if (stored === undefined || target === undefined) {
        done += elements * 4;
        continue;
      }
      for await (const { offset, data } of widenedPieces(source, name, value.dtype === 'i32' ? 'i32' : 'f32', signal)) {
        onProgress?.({ what: 'loading weights', done, total });
        gpu.queue.writeBuffer(target.memory.gpu, offset * 4, data);
        done += data.byteLength;
        inFlight += data.byteLength;
        if (inFlight < IN_FLIGHT_BYTES) continue;
        await gpu.queue.onSubmittedWorkDone();
        inFlight = 0;
      }
    }
    await faults.settle();
    onProgress?.({ what: 'loading weights', done, total });
    return parameters();
  } catch (error) {
    parameters().free();
    throw error;
  }
}
