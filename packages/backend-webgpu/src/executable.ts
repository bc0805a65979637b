import {
  type Executable,
  elementCount,
  type Graph,
  type MemoryReport,
  type Plan,
  ReceptanceError,
  type Sizes,
  type Storage,
  type Value,
} from '@receptance/core';
import { type Launch, MAX_STORAGE_BUFFERS, PARAMS_BYTES, type Program, type Scratch } from './kernel.ts';
import type { Lowered } from './lowering.ts';
import { checkSize, Handle, Memory, type Range, type Room } from './memory.ts';
import type { Target, WebGpuParameters } from './parameters.ts';
import type { Pipeline } from './pipelines.ts';

/** What is kept of runs: bind groups of each program and lists of dispatches, one for each choice of buffers. */
const REMEMBERED = 16;

/** A program with what it needs to be encoded. */
export interface Stage extends Compiled {
  /** Where its bindings lie, in order. */
  readonly places: readonly Place[];
  readonly groups: Map<string, GPUBindGroup>;
}

/** A stage that has something to do, with the buffers of a run. */
export interface Dispatch {
  readonly stage: Stage;
  readonly group: GPUBindGroup;
  readonly x: number;
  readonly y: number;
}

/** Memory of the plan, a piece of scratch memory, or memory of weights. */
type Place = Storage | number | Memory;

/** A plan and the largest sizes it is for. */
interface Planned {
  readonly plan: Plan;
  readonly limits: Sizes;
}

/** The buffers that stand for the graph's inputs and outputs during a run. */
export interface Frame {
  readonly inputs: ReadonlyMap<string, Memory>;
  readonly outputs: ReadonlyMap<string, Memory>;
}

export class WebGpuExecutable extends Handle implements Executable {
  readonly plan: Plan;
  readonly limits: Sizes;
  readonly parameters: WebGpuParameters;
  readonly stages: readonly Stage[];
  /** Launches of the stages at the sizes last run, whose params are in GPU memory. */
  #launches: readonly Launch[] = [];
  /** What was dispatched at these sizes, by the buffers of the runs. */
  readonly #dispatches = new Map<string, readonly Dispatch[]>();
  readonly #gpu: GPUDevice;
  readonly #room: Room;
  /** All that `free` gives back. */
  readonly #memories: Memory[] = [];
  readonly #buffers: readonly Memory[];
  readonly #scratch: readonly Memory[];
  readonly #constants: ReadonlyMap<number, Memory>;
  readonly #params: Memory;
  /** One step's worth of an input or output that a loop moves between steps, made when first needed. */
  readonly #staging = new Map<string, Memory>();
  #sizes = '';

  constructor(target: Target, planned: Planned, parameters: WebGpuParameters, compiled: readonly Compiled[]) {
    super(target.handles);
    const { plan, limits } = planned;
    const { gpu } = target;
    this.#gpu = gpu;
    this.#room = target;
    this.plan = plan;
    this.parameters = parameters;
    this.limits = limits;
    this.stages = compiled.map((each) => ({ ...each, places: placesOf(each.program, plan), groups: new Map() }));
    const activations = plan.buffers.map(({ bytes }) => bytes / 4);
    const scratch = scratchSizes(compiled, limits);
    for (const elements of [...activations, ...scratch])
      checkSize(gpu, `an activation of ${plan.graph.name}`, elements);
    this.#buffers = activations.map((elements, i) => this.#allocate(`activations ${i}`, elements));
    this.#scratch = scratch.map((elements, i) => this.#allocate(`scratch ${i}`, elements));
    this.#constants = this.#makeConstants();
    this.#params = Memory.forParams(gpu, 'params', Math.max(1, compiled.length) * PARAMS_BYTES);
    this.#memories.push(this.#params);
  }

  get graph(): Graph {
    return this.plan.graph;
  }

  get memory(): MemoryReport {
    return this.plan.memory;
  }

  override free(): void {
    super.free();
    for (const memory of this.#memories) memory.destroy();
  }

  #makeConstants(): Map<number, Memory> {
    const constants = new Map<number, Memory>();
    for (const { op, attrs, outputs } of this.graph.nodes) {
      const value = outputs['y'];
      if (op !== 'constant' || value === undefined || !Array.isArray(attrs['data'])) continue;
      const numbers = attrs['data'].map(Number);
      const memory = this.#allocate(`constant ${value.id}`, numbers.length);
      const words = value.dtype === 'i32' ? Int32Array.from(numbers) : Float32Array.from(numbers);
      this.#gpu.queue.writeBuffer(memory.gpu, 0, words);
      constants.set(value.id, memory);
    }
    return constants;
  }

  #allocate(label: string, elements: number): Memory {
    const memory = Memory.forStorage(this.#room, label, elements);
    this.#memories.push(memory);
    return memory;
  }

  /** What every step of a run dispatches: remembered, since one token is like another. */
  dispatches(sizes: Sizes, frame: Frame): readonly Dispatch[] {
    this.#prepare(sizes);
    const key = [...frame.inputs.values(), ...frame.outputs.values()].map(({ id }) => id).join(' ');
    const known = this.#dispatches.get(key);
    if (known !== undefined) return known;
    const most = this.#gpu.limits.maxComputeWorkgroupsPerDimension;
    const made = this.stages.flatMap((stage, i): Dispatch[] => {
      const workgroups = this.#launches[i]?.workgroups ?? 0;
      if (workgroups === 0) return [];
      const x = Math.min(workgroups, most);
      return [{ stage, group: this.#group(i, stage, frame), x, y: Math.ceil(workgroups / x) }];
    });
    remember(this.#dispatches, key, made);
    return made;
  }

  /** Works out how much of every stage runs, and brings that to the GPU, unless the sizes are those of the last run. */
  #prepare(sizes: Sizes): void {
    const key = JSON.stringify(sizes);
    if (key === this.#sizes) return;
    this.#dispatches.clear();
    this.#launches = this.stages.map(({ program }) => launchOf(program, sizes));
    const words = new Uint32Array((this.stages.length * PARAMS_BYTES) / 4);
    this.#launches.forEach(({ params }, i) => {
      words.set(params, (i * PARAMS_BYTES) / 4);
    });
    this.#gpu.queue.writeBuffer(this.#params.gpu, 0, words);
    this.#sizes = key;
  }

  staging(kind: 'input' | 'output', name: string, value: Value): Memory {
    const key = `${kind} ${name}`;
    const known = this.#staging.get(key);
    if (known !== undefined) return known;
    const made = this.#allocate(`one step of ${key}`, elementCount(value.shape, this.limits));
    this.#staging.set(key, made);
    return made;
  }

  #group(index: number, stage: Stage, frame: Frame): GPUBindGroup {
    const ranges = stage.places.map((place) => this.resolve(place, frame));
    const key = ranges.map(({ memory }) => memory.id).join(' ');
    const known = stage.groups.get(key);
    if (known !== undefined) return known;
    const params: GPUBindGroupEntry = {
      binding: 0,
      resource: { buffer: this.#params.gpu, offset: index * PARAMS_BYTES, size: PARAMS_BYTES },
    };
    const entries = ranges.map(({ memory, ...range }, i): GPUBindGroupEntry => {
      return { binding: i + 1, resource: { buffer: memory.gpu, ...range } };
    });
    const group = this.#gpu.createBindGroup({ layout: stage.pipeline.layout, entries: [params, ...entries] });
    remember(stage.groups, key, group);
    return group;
  }

  resolve(place: Place, frame: Frame): Range {
    if (place instanceof Memory) return { memory: place };
    if (typeof place === 'number') return found(this.#scratch[place], `scratch ${place}`);
    switch (place.kind) {
      case 'parameter':
      case 'variable': {
        const range = this.parameters.range(place.name);
        if (range === undefined) throw new Error(`${place.name} has no memory`);
        return range;
      }
      case 'buffer':
        return found(this.#buffers[place.index], `activations ${place.index}`);
      case 'constant':
        return found(this.#constants.get(place.value), `constant ${place.value}`);
      case 'input':
        return found(frame.inputs.get(place.name), `input ${place.name}`);
      case 'output':
        return found(frame.outputs.get(place.name), `output ${place.name}`);
    }
  }
}

export interface Compiled extends Lowered {
  readonly pipeline: Pipeline;
}

/** Keeps the newest. */
function remember<T>(known: Map<string, T>, key: string, made: T): void {
  const [oldest] = known.keys();
  if (known.size >= REMEMBERED && oldest !== undefined) known.delete(oldest);
  known.set(key, made);
}

export function launchOf(program: Program, sizes: Sizes): Launch {
  const launch = program.launch(sizes);
  const { workgroups, params } = launch;
  if (Number.isSafeInteger(workgroups) && workgroups >= 0 && params.length * 4 <= PARAMS_BYTES) return launch;
  const got = `${workgroups} workgroups, ${params.length} params`;
  throw new ReceptanceError('BAD_KERNEL', `shader ${program.shader.name} is launched with ${got}`, {
    hint: `workgroups are whole numbers ≥ 0, params ${PARAMS_BYTES / 4} words at most`,
  });
}

function found(memory: Memory | undefined, name: string): Range {
  if (memory !== undefined) return { memory };
  throw new Error(`${name} has no memory`);
}

/** Where a program's operands lie. WebGPU forbids that one dispatch sees a buffer twice when it writes it. */
function placesOf({ shader, bindings }: Program, plan: Plan): Place[] {
  if (bindings.length > MAX_STORAGE_BUFFERS) {
    throw new ReceptanceError('BAD_KERNEL', `shader ${shader.name} binds ${bindings.length} buffers`, {
      hint: `${MAX_STORAGE_BUFFERS} are sure to work: pack small ones into scratch memory`,
    });
  }
  const places = bindings.map(({ operand }) => {
    if (operand instanceof Memory) return operand;
    if ('scratch' in operand) return operand.scratch;
    const place = plan.storage.get(operand.id);
    if (place === undefined) throw new Error(`value ${operand.id} has no storage`);
    return place;
  });
  const keys = places.map((place) => (place instanceof Memory ? `memory ${place.id}` : JSON.stringify(place)));
  bindings.forEach(({ access }, i) => {
    if (access === 'read' || keys.indexOf(keys[i] ?? '') === keys.lastIndexOf(keys[i] ?? '')) return;
    throw new ReceptanceError('BAD_KERNEL', `shader ${shader.name} writes a buffer that it binds twice`, {
      hint: 'bind a state that is updated in place once, by its output',
    });
  });
  return places;
}

function scratchSizes(compiled: readonly Compiled[], limits: Sizes): number[] {
  const sizes: number[] = [];
  const scratches = compiled.flatMap(({ program }) =>
    program.bindings.flatMap(({ operand }): Scratch[] => ('scratch' in operand ? [operand] : [])),
  );
  for (const { scratch, elements } of scratches) sizes[scratch] = Math.max(sizes[scratch] ?? 0, elements(limits));
  return Array.from(sizes, (size) => size ?? 0);
}
