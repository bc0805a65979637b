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
  type OpenOptions,
  type Parameters,
  ReceptanceError,
  resolveParameters,
  type Sizes,
  supportedBy,
  type WeightSource,
} from '@receptance/core';
import { encode, encodeTimed } from './encode.ts';
import { launchOf, WebGpuExecutable } from './executable.ts';
import { Faults } from './faults.ts';
import { fold, foldedSource, foldedTensors } from './folding.ts';
import { Guards } from './guards.ts';
import type { WebGpuKernel } from './kernel.ts';
import { type Lowering, lowered } from './lowering.ts';
import { Handles, MAP_READ, Memory, type Room, USAGE, WebGpuBuffer } from './memory.ts';
import { loadParameters, plannedParameters, type Target, WebGpuParameters } from './parameters.ts';
import { Pipelines, pipelineKey } from './pipelines.ts';
import { costsOf, type GpuProfile, type ProfiledDispatch, rooflineOf } from './profile.ts';
import { preludeOf } from './shaders.ts';
import { Timestamps } from './timestamps.ts';
import type { Tuning } from './tuning.ts';

/** A dispatch of a step before anything is compiled. */
export interface PlannedDispatch {
  readonly scope: string;
  readonly op: string;
  /** Its name, its constants, and how each binding is accessed: `linear(FORMAT=0) r r w`. */
  readonly shader: string;
  readonly workgroups: number;
  /** Words of its uniform `params`. */
  readonly params: readonly number[];
}

/** What a device is made of. */
export interface DeviceParts {
  readonly gpu: GPUDevice;
  /** Held because Dawn ends with it. */
  readonly source?: GPU;
  readonly adapter: string;
  readonly kernels: KernelTable<WebGpuKernel>;
  /** Invocations of the smallest subgroup, where they are neighbours; 0 without subgroups. */
  readonly subgroup: number;
  readonly tuning: Tuning;
  /** Bytes of the largest piece of memory for weights; by default what the device binds. */
  readonly maxWeightBytes?: number | undefined;
  /** Whether memory ends with a band that is checked. */
  readonly guarded?: boolean | undefined;
  /** Whether `close` destroys the GPU device: not when an app passed it in. */
  readonly owned: boolean;
}

export class WebGpuDevice implements Device {
  readonly info: DeviceInfo;
  readonly #parts: DeviceParts;
  readonly #gpu: GPUDevice;
  readonly #faults: Faults;
  readonly #pipelines: Pipelines;
  readonly #handles = new Handles();
  readonly #guards: Guards | undefined;

  constructor(parts: DeviceParts) {
    this.info = { backend: 'webgpu', adapter: parts.adapter, threads: 1, float: 'f32', ragged: true };
    this.#parts = parts;
    this.#gpu = parts.gpu;
    this.#guards = parts.guarded ? new Guards(parts.gpu) : undefined;
    this.#faults = new Faults(parts.gpu);
    this.#pipelines = new Pipelines(parts.gpu, preludeOf(parts.subgroup > 0 ? 'subgroups' : 'memory'));
  }

  supports(node: Node): true | string {
    return supportedBy(this.#parts.kernels, this.info, node);
  }

  async loadParameters(source: WeightSource, uses: readonly Graph[], options: LoadOptions = {}): Promise<Parameters> {
    this.#faults.check();
    const folded = uses.map(fold);
    const recipes = new Map(folded.flatMap((each) => [...each.recipes]));
    // What is wrong with the file is said in its own names.
    resolveParameters(source, uses, options.limits);
    const graphs = folded.map((each) => each.graph);
    return await loadParameters(this.#target(), foldedSource(source, recipes), graphs, options);
  }

  async compile(graph: Graph, parameters: Parameters, limits: Sizes, options: OpenOptions = {}): Promise<Executable> {
    this.#faults.check();
    const own = this.#handles.own(parameters, WebGpuParameters);
    const { planned, programs } = lowered(graph, own, limits, this.#lowering());
    const pipelines = await this.#pipelines.compile(
      programs.map(({ program }) => program),
      options,
    );
    const compiled = programs.flatMap((each, i) => {
      const pipeline = pipelines[i];
      return pipeline === undefined ? [] : [{ ...each, pipeline }];
    });
    const make = (): WebGpuExecutable => new WebGpuExecutable(this.#target(), planned, own, compiled);
    const executable = this.#faults.guard(`the activations of ${graph.name}`, make);
    try {
      await this.#faults.settle();
    } catch (error) {
      executable.free();
      throw error;
    }
    return executable;
  }

  /** What a step of a graph dispatches at some sizes. Loads no weight and compiles no shader. */
  dispatches(
    { tensors }: Pick<WeightSource, 'tensors'>,
    graph: Graph,
    sizes: Sizes,
    limits: Sizes = sizes,
  ): PlannedDispatch[] {
    this.#faults.check();
    const parameters = this.#faults.guard('a plan', () => {
      const folded = fold(graph);
      return plannedParameters(this.#target(), foldedTensors(tensors, folded.recipes), [folded.graph], limits);
    });
    try {
      const { planned, programs } = lowered(graph, parameters, limits, this.#lowering());
      return programs.flatMap(({ node, program }) => {
        const { workgroups, params } = launchOf(program, { ...planned.limits, ...sizes });
        const { scope, op } = node;
        return workgroups === 0 ? [] : [{ scope, op, shader: pipelineKey(program), workgroups, params }];
      });
    } finally {
      parameters.free();
    }
  }

  #lowering(): Lowering {
    const { kernels, tuning } = this.#parts;
    return { kernels, info: this.info, tuning };
  }

  #target(): Target {
    const most = this.#parts.maxWeightBytes;
    return { ...this.#room(), handles: this.#handles, faults: this.#faults, most };
  }

  #room(): Room {
    return { gpu: this.#gpu, guards: this.#guards };
  }

  alloc(dtype: 'f32' | 'i32', elements: number): DeviceBuffer {
    this.#faults.checkOpen();
    const label = `a buffer of ${elements} elements`;
    const memory = this.#faults.guard(label, () => Memory.forStorage(this.#room(), label, elements));
    return new WebGpuBuffer(this.#handles, dtype, elements, memory);
  }

  free(buffer: DeviceBuffer): void {
    this.#handles.own(buffer, WebGpuBuffer).free();
  }

  write(buffer: DeviceBuffer, data: HostArray | readonly number[], offset = 0): void {
    this.#faults.checkOpen();
    const own = this.#handles.own(buffer, WebGpuBuffer);
    own.checkRange(offset, data.length);
    if (data.length === 0) return;
    const words = own.dtype === 'i32' ? Int32Array.from(data) : Float32Array.from(data);
    this.#faults.guard('a write', () => this.#gpu.queue.writeBuffer(own.memory.gpu, offset * 4, words));
  }

  async read(buffer: DeviceBuffer, offset = 0, elements: number = buffer.elements - offset): Promise<HostArray> {
    this.#faults.check();
    const own = this.#handles.own(buffer, WebGpuBuffer);
    own.checkRange(offset, elements);
    const bytes = elements * 4;
    const staging = this.#faults.guard('a read', () => {
      const target = this.#gpu.createBuffer({ size: Math.max(4, bytes), usage: USAGE.mapRead | USAGE.copyTarget });
      const encoder = this.#gpu.createCommandEncoder();
      if (bytes > 0) encoder.copyBufferToBuffer(own.memory.gpu, offset * 4, target, 0, bytes);
      this.#gpu.queue.submit([encoder.finish()]);
      return target;
    });
    try {
      const mapped = staging.mapAsync(MAP_READ).then(
        () => undefined,
        (error: unknown) => error,
      );
      await this.#faults.settle();
      const failed = await mapped;
      await this.#faults.settle();
      if (failed !== undefined) {
        await this.#faults.settleLoss();
        throw new ReceptanceError('DEVICE_ERROR', `a read failed: ${failed}`, { cause: failed });
      }
      const data = staging.getMappedRange(0, bytes).slice(0);
      await this.#guards?.check();
      return own.dtype === 'i32' ? new Int32Array(data) : new Float32Array(data);
    } finally {
      staging.destroy();
    }
  }

  copy(from: DeviceBuffer, fromOffset: number, to: DeviceBuffer, toOffset: number, elements: number): void {
    this.#faults.checkOpen();
    const [source, target] = [this.#handles.own(from, WebGpuBuffer), this.#handles.own(to, WebGpuBuffer)];
    source.checkRange(fromOffset, elements);
    target.checkRange(toOffset, elements);
    if (source.dtype !== target.dtype) throw badCopy(`from ${source.dtype} to ${target.dtype}`);
    const overlaps = source === target && Math.abs(fromOffset - toOffset) < elements;
    if (overlaps) throw badCopy(`of ${elements} elements from ${fromOffset} to ${toOffset} of the same buffer`);
    if (elements === 0) return;
    const bytes = elements * 4;
    this.#faults.guard('a copy', () => {
      const encoder = this.#gpu.createCommandEncoder();
      // WebGPU does not copy within a buffer.
      const between = source === target ? Memory.forStorage(this.#room(), 'a copy', elements) : undefined;
      if (between === undefined) {
        encoder.copyBufferToBuffer(source.memory.gpu, fromOffset * 4, target.memory.gpu, toOffset * 4, bytes);
      } else {
        encoder.copyBufferToBuffer(source.memory.gpu, fromOffset * 4, between.gpu, 0, bytes);
        encoder.copyBufferToBuffer(between.gpu, 0, target.memory.gpu, toOffset * 4, bytes);
      }
      this.#gpu.queue.submit([encoder.finish()]);
      between?.destroy();
    });
  }

  async run(executable: Executable, bindings: Bindings, loop: Loop = ONCE): Promise<void> {
    const { own, sizes, bound } = this.#checked(executable, bindings, loop);
    this.#faults.guard(`a run of ${own.graph.name}`, () => {
      this.#gpu.queue.submit([encode(this.#gpu, own, sizes, bound, loop)]);
    });
  }

  #checked(executable: Executable, bindings: Bindings, loop: Loop) {
    this.#faults.check();
    const own = this.#handles.own(executable, WebGpuExecutable);
    this.#handles.own(own.parameters, WebGpuParameters);
    const sizes = checkBindings(own.graph, own.limits, bindings, loop, own.parameters.variables.values());
    return {
      ...{ own, sizes },
      bound: { inputs: this.#memories(bindings.inputs), outputs: this.#memories(bindings.outputs) },
    };
  }

  /**
   * Runs a step `runs` times, every dispatch timed by itself, and finds out what the GPU reaches at most.
   * @throws ReceptanceError `NO_TIMESTAMPS`, and as `run`
   */
  async profile(executable: Executable, bindings: Bindings, runs: number): Promise<GpuProfile> {
    const { own, sizes, bound } = this.#checked(executable, bindings, ONCE);
    const dispatches = own.dispatches(sizes, bound);
    const timestamps = new Timestamps(this.#gpu, dispatches.length);
    const samples: number[][] = [];
    try {
      for (let run = 0; run < runs; run++) {
        this.#faults.guard(`a profile of ${own.graph.name}`, () => {
          this.#gpu.queue.submit([encodeTimed(this.#gpu, own, sizes, bound, timestamps)]);
        });
        await this.#faults.settle();
        samples.push(await timestamps.read());
      }
    } finally {
      timestamps.destroy();
    }
    const roofline = await rooflineOf(this.#room(), this.#pipelines);
    await this.#faults.settle();
    const costs = costsOf(dispatches, sizes);
    const profiled = dispatches.map(({ stage: { node, program }, x, y }, i): ProfiledDispatch => {
      const times = samples.map((sample) => sample[i] ?? Number.NaN).sort((a, b) => a - b);
      return {
        ...{ scope: node.scope, op: node.op, shader: program.shader.name, workgroups: x * y },
        ...(costs[i] ?? { flops: 0, bytes: 0 }),
        milliseconds: times[Math.floor(times.length / 2)] ?? Number.NaN,
      };
    });
    return { adapter: this.info.adapter, dispatches: profiled, roofline };
  }

  #memories(buffers: Bindings['inputs']): Map<string, Memory> {
    return new Map(
      Object.entries(buffers).map(([name, buffer]) => [name, this.#handles.own(buffer, WebGpuBuffer).memory]),
    );
  }

  async close(): Promise<void> {
    // Of a lost device there is nothing to wait for.
    if (this.#parts.owned) await this.#gpu.queue.onSubmittedWorkDone().catch(() => undefined);
    this.#faults.end();
    this.#handles.freeAll();
    if (this.#parts.owned) this.#gpu.destroy();
  }
}

function badCopy(what: string): ReceptanceError {
  return new ReceptanceError('OUT_OF_RANGE', `cannot copy ${what}`, {
    hint: 'ranges must not overlap, dtypes must agree',
  });
}
