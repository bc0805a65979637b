import { elementCount, type Node, type Plan, type Prepared, type Storage } from '@receptance/core';
import type { Crate } from './crate.ts';
import { Encoder, type Places, type Program } from './encoder.ts';
import { ROWS } from './forms.ts';
import { encodeFused, fuseSteps, viewedRoots } from './fuse.ts';
import type { WasmKernel } from './kernel.ts';
import { type Block, BlockGroup, type LinearMemory } from './memory.ts';
import type { WasmParameters } from './parameters.ts';
import { encodePorts, loopWords, type Ports } from './ports.ts';

/** Bytes of a word of a program. */
const WORD = 8;

/** The part of a device that compiling needs. */
export interface CompileHost {
  readonly memory: LinearMemory;
  readonly threads: number;
  readonly crate: Crate;
}

/** A program, and the memory that is its own. */
export interface Compiled {
  readonly program: Program;
  readonly ports: Ports;
  readonly code: Block;
  readonly registers: Block;
  readonly scratch: Block;
  readonly loop: Block;
  /** These four, the planned buffers and the constants. */
  readonly blocks: BlockGroup;
}

/** Turns a plan into a program in memory. @throws ReceptanceError `OUT_OF_MEMORY`; nothing is kept then */
export function compilePlan(
  { plan, kernels, limits }: Prepared<WasmKernel>,
  parameters: WasmParameters,
  { memory, threads, crate }: CompileHost,
): Compiled {
  const blocks = new BlockGroup(memory);
  try {
    const encoder = new Encoder(
      { ...placesOf(plan, parameters, memory, blocks), threads, scratch: crate.scratch },
      limits,
    );
    encodePlan(plan, kernels, encoder);
    const ports = encodePorts(plan.graph, encoder);
    const program = encoder.finish();
    const code = blocks.allocate(WORD * program.code.length);
    memory.words(code.address, program.code.length).setAll(program.code);
    const registers = blocks.allocate(WORD * program.registers.length);
    const [scratch, loop] = [blocks.allocate(program.scratchBytes), blocks.allocate(WORD * loopWords(ports))];
    return { program, ports, code, registers, scratch, loop, blocks };
  } catch (error) {
    blocks.free();
    throw error;
  }
}

type PlanPlaces = Pick<Places, 'storageOf' | 'addressOf' | 'formOf'>;

/** Gives the planned buffers and the constants their places. */
function placesOf(plan: Plan, parameters: WasmParameters, memory: LinearMemory, blocks: BlockGroup): PlanPlaces {
  const buffers = plan.buffers.map(({ bytes }) => blocks.allocate(bytes));
  const constants = new Map<number, Block>();
  for (const node of plan.graph.nodes) {
    const value = node.outputs['y'];
    if (node.op === 'constant' && value !== undefined) constants.set(value.id, placeConstant(node, memory, blocks));
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
          return parameters.place(storage.name)?.address;
        case 'input':
        case 'output':
          return undefined;
      }
    },
    formOf: (storage) => (storage.kind === 'parameter' ? parameters.place(storage.name)?.form : undefined) ?? ROWS,
  };
}

function placeConstant({ attrs, outputs }: Node, memory: LinearMemory, blocks: BlockGroup): Block {
  const { dtype, shape } = outputs['y'] ?? { dtype: 'f32', shape: [] };
  const elements = elementCount(shape);
  const block = blocks.allocate(4 * elements);
  const data = Array.isArray(attrs['data']) ? attrs['data'].map(Number) : [];
  memory.numbers(dtype === 'i32' ? 'i32' : 'f32', block.address, elements).set(data);
  return block;
}

function encodePlan(plan: Plan, kernels: readonly WasmKernel[], e: Encoder): void {
  const kernelOf = new Map(plan.steps.map((node, i) => [node, kernels[i]]));
  const roots = viewedRoots(plan.graph.nodes);
  for (const step of fuseSteps(plan, kernels)) {
    if ('nodes' in step) encodeFused(step, (node) => kernelOf.get(node), e, roots);
    else kernelOf.get(step)?.encode(step, e);
  }
  for (const { from, to } of plan.copies) {
    e.emit('copy_words', { from: e.address(from), to: e.place(to), count: e.size(...from.shape) });
  }
}
