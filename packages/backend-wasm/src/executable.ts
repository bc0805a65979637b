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
  sizeOf,
} from '@receptance/core';
import { DeviceObject, ownObject, WasmBuffer } from './buffer.ts';
import { Encoder, fixedWord, isRunContent, type Program, type RunContent } from './encoder.ts';
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
  readonly #ports: Ports;
  readonly #registers: number;
  /** The registers that every run writes anew, and the dimensions they are made of. */
  readonly #changing: readonly { readonly index: number; readonly content: RunContent }[];
  readonly #dims: readonly string[];

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
    let program: Program;
    try {
      const encoder = new Encoder(placesOf(compilation, this.#blocks), limits);
      encodePlan(compilation, encoder);
      this.#ports = encodePorts(plan.graph, encoder);
      program = encoder.finish();
      this.#layout = {
        code: this.#blocks.allocate(4 * program.code.length),
        registers: this.#blocks.allocate(4 * program.registers.length),
        scratch: this.#blocks.allocate(program.scratchBytes),
        loop: this.#blocks.allocate(4 * loopWords(this.#ports)),
      };
    } catch (error) {
      this.#blocks.free();
      throw error;
    }
    const { code, registers, scratch } = this.#layout;
    memory.words(code.address, program.code.length).set(program.code);
    const frame = { registersAddress: registers.address, scratchAddress: scratch.address };
    const words = program.registers.map((content) => fixedWord(content, frame));
    memory.words(registers.address, words.length).set(words);
    this.#changing = program.registers.flatMap((content, index) => (isRunContent(content) ? [{ index, content }] : []));
    this.#registers = words.length;
    this.#dims = [...new Set(this.#changing.flatMap(({ content }) => (content.kind === 'size' ? content.dims : [])))];
  }

  free(): void {
    if (this.freed) return;
    this.freed = true;
    this.#blocks.free();
  }

  /** Writes what this run is given to the registers, and calls the program once for all steps of the loop. */
  run(kernels: Kernels, sizes: Sizes, bindings: Bindings, loop: Loop): void {
    const { code, registers, loop: loopBlock } = this.#layout;
    const addresses = {
      input: this.#addresses(bindings.inputs, this.#ports.input),
      output: this.#addresses(bindings.outputs, this.#ports.output),
    };
    const size = new Map(this.#dims.map((dim) => [dim, sizeOf(dim, sizes)]));
    const words = this.#linear.words(registers.address, this.#registers);
    for (const { index, content } of this.#changing) {
      words[index] =
        content.kind === 'bound'
          ? (addresses[content.side].get(content.name) ?? 0)
          : content.dims.reduce((product, dim) => product * (size.get(dim) ?? 0), content.factor);
    }
    const steps = encodeLoop(loop, this.#ports, sizes);
    this.#linear.words(loopBlock.address, steps.length).set(steps);
    kernels.run(code.address, registers.address, loopBlock.address);
  }

  #addresses(bound: Bindings['inputs'], ports: Ports['input']): ReadonlyMap<string, number> {
    return new Map(
      [...ports.keys()].map((name) => [name, ownObject(this.device, bound[name], WasmBuffer).block.address]),
    );
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
