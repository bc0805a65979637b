import {
  type Bindings,
  type DeviceInfo,
  type Executable,
  type Graph,
  type KernelTable,
  type Loop,
  type Node,
  type Plan,
  type Sizes,
  type Storage,
  selectKernel,
} from '@receptance/core';
import { DeviceObject, ownObject, WasmBuffer } from './buffer.ts';
import { Encoder, type Program, wordOf } from './encoder.ts';
import type { WasmKernel } from './kernel.ts';
import { type Block, BlockGroup, type LinearMemory } from './memory.ts';
import type { Kernels } from './module.ts';
import type { WasmParameters } from './parameters.ts';
import { encodeLoop, encodePorts, loopWords, type Ports } from './ports.ts';

/** Where the parts of an executable lie. */
interface Layout {
  readonly code: Block;
  readonly registers: Block;
  readonly scratch: Block;
  readonly loop: Block;
}

/** What an executable is made of. */
export interface Compilation {
  readonly memory: LinearMemory;
  readonly plan: Plan;
  readonly parameters: WasmParameters;
  readonly kernels: KernelTable<WasmKernel>;
  readonly info: DeviceInfo;
  readonly limits: Sizes;
}

/** A program in memory, with the buffers that its steps share. */
export class WasmExecutable extends DeviceObject implements Executable {
  readonly graph: Graph;
  readonly limits: Sizes;
  readonly memory: Plan['memory'];
  readonly parameters: WasmParameters;
  readonly #linear: LinearMemory;
  readonly #blocks: BlockGroup;
  readonly #layout: Layout;
  readonly #program: Program;
  readonly #ports: Ports;

  /** @throws ReceptanceError `OUT_OF_MEMORY`; nothing is kept then */
  constructor(device: object, compilation: Compilation) {
    super(device);
    const { plan, limits, parameters, memory } = compilation;
    this.graph = plan.graph;
    this.limits = limits;
    this.memory = plan.memory;
    this.parameters = parameters;
    this.#linear = memory;
    this.#blocks = new BlockGroup(memory);
    try {
      const encoder = new Encoder(placesOf(compilation, this.#blocks), limits);
      encodePlan(compilation, encoder);
      this.#ports = encodePorts(plan.graph, encoder);
      this.#program = encoder.finish();
      this.#layout = {
        code: this.#blocks.allocate(4 * this.#program.code.length),
        registers: this.#blocks.allocate(4 * this.#program.registers.length),
        scratch: this.#blocks.allocate(this.#program.scratchBytes),
        loop: this.#blocks.allocate(4 * loopWords(this.#ports)),
      };
    } catch (error) {
      this.#blocks.free();
      throw error;
    }
    memory.words(this.#layout.code.address, this.#program.code.length).set(this.#program.code);
  }

  free(): void {
    if (this.freed) return;
    this.freed = true;
    this.#blocks.free();
  }

  /** Writes what this run is given to the registers, and calls the program once for all steps of the loop. */
  run(kernels: Kernels, sizes: Sizes, bindings: Bindings, loop: Loop): void {
    const { code, registers, scratch, loop: loopBlock } = this.#layout;
    const buffers = { input: this.#ownBuffers(bindings.inputs), output: this.#ownBuffers(bindings.outputs) };
    const frame = {
      sizes,
      boundAddress: (side: 'input' | 'output', name: string) => buffers[side].get(name)?.block.address ?? 0,
      registersAddress: registers.address,
      scratchAddress: scratch.address,
    };
    const words = this.#program.registers.map((content) => wordOf(content, frame));
    this.#linear.words(registers.address, words.length).set(words);
    const steps = encodeLoop(loop, this.#ports, sizes);
    this.#linear.words(loopBlock.address, steps.length).set(steps);
    kernels.run(code.address, registers.address, loopBlock.address);
  }

  #ownBuffers(bound: Bindings['inputs']): ReadonlyMap<string, WasmBuffer> {
    return new Map(Object.entries(bound).map(([name, buffer]) => [name, ownObject(this.device, buffer, WasmBuffer)]));
  }
}

/** Gives the planned buffers and the constants their places. */
function placesOf(
  { plan, parameters, memory }: Compilation,
  blocks: BlockGroup,
): ConstructorParameters<typeof Encoder>[0] {
  const buffers = plan.buffers.map(({ bytes }) => blocks.allocate(bytes));
  const constants = new Map<number, Block>();
  for (const node of plan.graph.nodes) {
    const value = node.outputs['y'];
    if (node.op === 'constant' && value !== undefined) constants.set(value.id, placeConstant(memory, blocks, node));
  }
  return {
    storageOf: (value) => plan.storage.get(value.id),
    addressOf(storage: Storage) {
      switch (storage.kind) {
        case 'buffer':
          return buffers[storage.index]?.address;
        case 'constant':
          return constants.get(storage.value)?.address;
        case 'parameter':
        case 'variable':
          return parameters.addressOf(storage.name);
        case 'input':
        case 'output':
          return undefined;
      }
    },
  };
}

function placeConstant(memory: LinearMemory, blocks: BlockGroup, { attrs, outputs }: Node): Block {
  const numbers = Array.isArray(attrs['data']) ? attrs['data'].map(Number) : [];
  const block = blocks.allocate(4 * numbers.length);
  memory.numbers(outputs['y']?.dtype === 'i32' ? 'i32' : 'f32', block.address, numbers.length).set(numbers);
  return block;
}

function encodePlan({ plan, kernels, info }: Compilation, e: Encoder): void {
  for (const node of plan.steps) {
    const kernel = selectKernel(kernels, node, info);
    if (typeof kernel !== 'string') kernel.encode(node, e);
  }
  for (const { from, to } of plan.copies) {
    e.emit('copy_words', { from: e.address(from), to: e.place(to), count: e.size(...from.shape) });
  }
}
