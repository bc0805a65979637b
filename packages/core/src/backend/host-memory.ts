import type { Graph, Node, Sizes } from '../ir/types.ts';
import type { Plan } from '../plan/plan.ts';
import type { Device, DeviceBuffer, DeviceInfo, Executable, HostArray, Parameters } from './contract.ts';
import type { HostKernel } from './host-device.ts';
import type { Loaded, Prepared } from './prepare.ts';

type ArrayType = Float32ArrayConstructor | Float64ArrayConstructor | Int32ArrayConstructor;

/** What a device holds numbers of a type in. */
export function arrayOf({ float }: DeviceInfo, dtype: string): ArrayType {
  if (dtype === 'i32') return Int32Array;
  return float === 'f64' ? Float64Array : Float32Array;
}

/** What a device hands out: of use to that device alone, and of none after `free`. */
export abstract class Handle {
  owner: Device | undefined;

  constructor(owner: Device) {
    this.owner = owner;
  }

  free(): void {
    this.owner = undefined;
  }
}

export class HostBuffer extends Handle implements DeviceBuffer {
  readonly dtype: 'f32' | 'i32';
  readonly data: HostArray;

  constructor(owner: Device, dtype: 'f32' | 'i32', elements: number) {
    super(owner);
    this.dtype = dtype;
    this.data = new (arrayOf(owner.info, dtype))(elements);
  }

  get elements(): number {
    return this.data.length;
  }
}

export class HostParameters extends Handle implements Parameters {
  readonly loaded: Loaded;
  readonly frozen: ReadonlyMap<string, HostArray>;
  readonly variables: ReadonlyMap<string, HostBuffer>;
  readonly bytes: number;

  constructor(
    owner: Device,
    loaded: Loaded,
    frozen: ReadonlyMap<string, HostArray>,
    variables: ReadonlyMap<string, HostBuffer>,
  ) {
    super(owner);
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

export class HostExecutable extends Handle implements Executable {
  readonly plan: Plan;
  readonly parameters: HostParameters;
  readonly limits: Sizes;
  /** One for each step of the plan. */
  readonly kernels: readonly HostKernel[];
  readonly constants: ReadonlyMap<number, HostArray>;
  /** Values take turns in these. */
  readonly buffers: readonly ArrayBuffer[];

  constructor(owner: Device, { plan, kernels, limits }: Prepared<HostKernel>, parameters: HostParameters) {
    super(owner);
    this.plan = plan;
    this.parameters = parameters;
    this.limits = limits;
    this.kernels = kernels;
    const widening = owner.info.float === 'f64' ? 2 : 1;
    this.buffers = plan.buffers.map(({ bytes }) => new ArrayBuffer(bytes * widening));
    this.constants = new Map(plan.graph.nodes.flatMap((node) => constantOf(node, owner.info)));
  }

  get graph(): Graph {
    return this.plan.graph;
  }

  get memory(): Plan['memory'] {
    return this.plan.memory;
  }
}

function constantOf({ op, attrs, outputs }: Node, info: DeviceInfo): [number, HostArray][] {
  const { data } = attrs;
  const value = outputs['y'];
  if (op !== 'constant' || !Array.isArray(data) || value === undefined) return [];
  const numbers = new (arrayOf(info, value.dtype))(data.length);
  numbers.set(data.map(Number));
  return [[value.id, numbers]];
}
