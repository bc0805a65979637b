import {
  type Bindings,
  type DeviceInfo,
  type Executable,
  elementCount,
  type Graph,
  type KernelTable,
  type Loop,
  leaves,
  type Node,
  type Plan,
  ReceptanceError,
  type Sizes,
  type Storage,
  selectKernel,
  type Value,
} from '@receptance/core';
import { DeviceObject, ownObject, WasmBuffer } from './buffer.ts';
import { Encoder, type Program, type Register, wordOf } from './encoder.ts';
import type { WasmKernel } from './kernel.ts';
import type { Block, LinearMemory } from './memory.ts';
import type { Kernels } from './module.ts';
import type { WasmParameters } from './parameters.ts';

/** The registers that a loop needs of an input or output. */
interface Port {
  readonly address: Register;
  readonly elements: Register;
  readonly value: Value;
}

type Ports = Readonly<Record<'input' | 'output', ReadonlyMap<string, Port>>>;

/** A program in memory, with the buffers that its steps share. */
export class WasmExecutable extends DeviceObject implements Executable {
  readonly plan: Plan;
  readonly limits: Sizes;
  readonly parameters: WasmParameters;
  readonly #memory: LinearMemory;
  readonly #layout: Layout;
  readonly #program: Program;
  readonly #ports: Ports;

  constructor(
    device: object,
    memory: LinearMemory,
    plan: Plan,
    parameters: WasmParameters,
    kernels: KernelTable<WasmKernel>,
    info: DeviceInfo,
    limits: Sizes,
  ) {
    super(device);
    this.plan = plan;
    this.limits = limits;
    this.parameters = parameters;
    this.#memory = memory;
    const constants = plan.graph.nodes.filter(({ op }) => op === 'constant');
    const data = memory.allocateAll([
      ...plan.buffers.map(({ bytes }) => bytes),
      ...constants.map(({ outputs }) => 4 * elementCount(outputs['y']?.shape ?? [])),
    ]);
    const [buffers, tables] = [data.slice(0, plan.buffers.length), data.slice(plan.buffers.length)];
    try {
      constants.forEach((node, i) => {
        const table = tables[i];
        if (table !== undefined) writeConstant(memory, table.address, node);
      });
      const ids = constants.map(({ outputs }) => outputs['y']?.id);
      const encoder = new Encoder(
        {
          storageOf: (value) => storageOf(plan, value),
          addressOf: (storage) => this.#addressOf(storage, buffers, (id) => tables[ids.indexOf(id)]),
        },
        limits,
      );
      encodePlan(plan, kernels, info, encoder);
      this.#ports = encodePorts(plan.graph, encoder);
      this.#program = encoder.finish();
      this.#layout = place(memory, this.#program, this.#ports, data);
    } catch (error) {
      for (const block of data) memory.free(block);
      throw error;
    }
  }

  get graph(): Graph {
    return this.plan.graph;
  }

  get memory(): Plan['memory'] {
    return this.plan.memory;
  }

  free(): void {
    if (this.freed) return;
    this.freed = true;
    for (const block of this.#layout.blocks) this.#memory.free(block);
  }

  /** Writes what this run is given to the registers, and calls the program once for all steps of the loop. */
  run(kernels: Kernels, sizes: Sizes, bindings: Bindings, loop: Loop): void {
    const { code, registers, scratch, loopPlan } = this.#layout;
    const buffers = {
      input: this.#ownBuffers(bindings.inputs),
      output: this.#ownBuffers(bindings.outputs),
    };
    const frame = {
      sizes,
      boundAddress: (side: 'input' | 'output', name: string) => buffers[side].get(name)?.block.address ?? 0,
      registersAddress: registers.address,
      scratchAddress: scratch.address,
    };
    const words = this.#program.registers.map((content) => wordOf(content, frame));
    this.#memory.words(registers.address, words.length).set(words);
    const plan = encodeLoop(loop, this.#ports, sizes);
    this.#memory.words(loopPlan.address, plan.length).set(plan);
    kernels.run(code.address, registers.address, loopPlan.address);
  }

  #ownBuffers(bound: Bindings['inputs']): ReadonlyMap<string, WasmBuffer> {
    const own = (buffer: unknown): WasmBuffer => ownObject(this.device, buffer, WasmBuffer);
    return new Map(Object.entries(bound).map(([name, buffer]) => [name, own(buffer)]));
  }

  #addressOf(
    storage: Storage,
    buffers: readonly Block[],
    constant: (id: number) => Block | undefined,
  ): number | undefined {
    switch (storage.kind) {
      case 'buffer':
        return known(buffers[storage.index], 'buffer').address;
      case 'constant':
        return known(constant(storage.value), 'constant').address;
      case 'parameter':
      case 'variable':
        return known(this.parameters.leaves.get(storage.name), storage.name).block.address;
      case 'input':
      case 'output':
        return undefined;
    }
  }
}

/** Where the parts of an executable lie. */
interface Layout {
  readonly code: Block;
  readonly registers: Block;
  readonly scratch: Block;
  readonly loopPlan: Block;
  /** All that is freed with it. */
  readonly blocks: readonly Block[];
}

function place(memory: LinearMemory, program: Program, ports: Ports, data: readonly Block[]): Layout {
  const portCount = ports.input.size + ports.output.size;
  const own = memory.allocateAll([
    4 * program.code.length,
    4 * program.registers.length,
    program.scratchBytes,
    4 * (3 + 5 * portCount),
  ]);
  const [code, registers, scratch, loopPlan] = own.map((block) => known(block, 'block'));
  const layout = {
    code: known(code, 'code'),
    registers: known(registers, 'registers'),
    scratch: known(scratch, 'scratch'),
    loopPlan: known(loopPlan, 'loop'),
    blocks: [...data, ...own],
  };
  memory.words(layout.code.address, program.code.length).set(program.code);
  return layout;
}

function encodePlan(plan: Plan, kernels: KernelTable<WasmKernel>, info: DeviceInfo, e: Encoder): void {
  for (const node of plan.steps) {
    const kernel = selectKernel(kernels, node, info);
    if (typeof kernel !== 'string') kernel.encode(node, e);
  }
  for (const { from, to } of plan.copies) {
    e.emit('copy_words', { from: e.address(from), to: e.place(to), count: e.size(...from.shape) });
  }
}

function encodePorts(graph: Graph, e: Encoder): Ports {
  const port =
    (kind: 'input' | 'output') =>
    ([name, value]: readonly [string, Value]): [string, Port] => [
      name,
      { address: e.place({ kind, name }), elements: e.size(...value.shape), value },
    ];
  return {
    input: new Map([...leaves(graph, 'input')].map(port('input'))),
    output: new Map(Object.entries(graph.outputs).map(port('output'))),
  };
}

/** The crate's `plan`: what is copied and what moves on between two steps. */
function encodeLoop(loop: Loop, ports: Ports, sizes: Sizes): number[] {
  const carries = Object.entries(loop.carry).flatMap(([to, from]) => {
    const [input, output] = [known(ports.input.get(to), to), known(ports.output.get(from), from)];
    return [[output.address.index, input.address.index, output.elements.index]];
  });
  const moving = [
    ...[...new Set(loop.feed)].map((name) => known(ports.input.get(name), name)),
    ...[...new Set(loop.collect)].map((name) => known(ports.output.get(name), name)),
  ];
  const strides = moving.map(({ address, value }) => [address.index, 4 * elementCount(value.shape, sizes)]);
  return [loop.steps, carries.length, ...carries.flat(), strides.length, ...strides.flat()];
}

function writeConstant(memory: LinearMemory, address: number, { attrs, outputs }: Node): void {
  const numbers = Array.isArray(attrs['data']) ? attrs['data'].map(Number) : [];
  memory.numbers(outputs['y']?.dtype === 'i32' ? 'i32' : 'f32', address, numbers.length).set(numbers);
}

function storageOf(plan: Plan, value: Value): Storage {
  return known(plan.storage.get(value.id), `value ${value.id}`);
}

function known<T>(value: T | undefined, name: string): T {
  if (value === undefined) {
    throw new ReceptanceError('MISSING_TENSOR', `${name} was not among the graphs that loadParameters was given`, {
      hint: 'pass every graph that will be compiled as a use',
    });
  }
  return value;
}
