import {
  type Graph,
  type Loaded,
  type LoadOptions,
  type Parameters,
  resolveParameters,
  type WeightSource,
  widenedPieces,
} from '@receptance/core';
import type { Faults } from './faults.ts';
import { checkSize, Handle, type Handles, Memory, WebGpuBuffer } from './memory.ts';

/** Bytes in flight to the GPU before loading waits for it. */
const IN_FLIGHT_BYTES = 64 << 20;

/** A model's tensors in GPU memory, one buffer each. */
export class WebGpuParameters extends Handle implements Parameters {
  readonly loaded: Loaded;
  readonly variables: ReadonlyMap<string, WebGpuBuffer>;
  readonly #tensors: ReadonlyMap<string, WebGpuBuffer>;

  constructor(handles: Handles, loaded: Loaded, tensors: ReadonlyMap<string, WebGpuBuffer>) {
    super(handles);
    this.loaded = loaded;
    this.#tensors = tensors;
    const variables = new Set(loaded.entries.flatMap(({ kind, name }) => (kind === 'variable' ? [name] : [])));
    this.variables = new Map([...tensors].filter(([name]) => variables.has(name)));
  }

  get bytes(): number {
    return [...this.#tensors.values()].reduce((sum, { memory }) => sum + memory.bytes, 0);
  }

  get(name: string): WebGpuBuffer | undefined {
    return this.#tensors.get(name);
  }

  override free(): void {
    super.free();
    for (const tensor of this.#tensors.values()) tensor.free();
  }
}

/** Where tensors go, and who is told what went wrong there. */
export interface Target {
  readonly handles: Handles;
  readonly gpu: GPUDevice;
  readonly faults: Faults;
}

/** Brings weights to the GPU as f32, piece by piece: the host never holds a whole tensor. */
export async function loadParameters(
  { handles, gpu, faults }: Target,
  source: WeightSource,
  uses: readonly Graph[],
  { limits = {}, signal, onProgress }: LoadOptions,
): Promise<WebGpuParameters> {
  const entries = resolveParameters(source, uses, limits);
  const tensors = new Map<string, WebGpuBuffer>();
  const total = entries.reduce((sum, { elements }) => sum + elements * 4, 0);
  let done = 0;
  let inFlight = 0;
  const parameters = (): WebGpuParameters => new WebGpuParameters(handles, { entries, limits }, tensors);
  for (const { name, elements } of entries) checkSize(gpu, `tensor ${name}`, elements);
  try {
    for (const { name, value, elements } of entries) {
      const memory = faults.guard(`tensor ${name}`, () => Memory.forStorage(gpu, name, elements));
      tensors.set(name, new WebGpuBuffer(handles, value.dtype === 'i32' ? 'i32' : 'f32', elements, memory));
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
        faults.guard(`tensor ${name}`, () => gpu.queue.writeBuffer(target.memory.gpu, offset * 4, data));
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
