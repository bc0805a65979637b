import {
  type Bindings,
  type Executable,
  type Graph,
  type Loop,
  type Plan,
  type Prepared,
  type Sizes,
  sizeOf,
} from '@receptance/core';
import { DeviceObject, ownObject, WasmBuffer } from './buffer.ts';
import type { Tables } from './chore.ts';
import { type Compiled, type CompileHost, compilePlan } from './compile.ts';
import { fixedWord, isRunContent, type RunContent } from './encoder.ts';
import type { WasmKernel } from './kernel.ts';
import type { BlockGroup } from './memory.ts';
import type { WasmParameters } from './parameters.ts';
import { encodeLoop, type Ports } from './ports.ts';

/** The part of a device that an executable needs. */
export interface ExecutableHost extends CompileHost {
  readonly device: object;
  /** Frees blocks once nothing that is under way needs them. */
  release(blocks: BlockGroup): void;
}

/** A run that can begin as soon as the one before it is done. */
export interface PreparedRun {
  write(): void;
  readonly tables: Tables;
}

/** A program in memory, with the buffers that its steps share. */
export class WasmExecutable extends DeviceObject implements Executable {
  readonly graph: Graph;
  readonly limits: Sizes;
  readonly memory: Plan['memory'];
  readonly parameters: WasmParameters;
  readonly #host: ExecutableHost;
  readonly #compiled: Compiled;
  /** The registers that every run writes anew, and the dimensions they are made of. */
  readonly #changing: readonly { readonly index: number; readonly content: RunContent }[];
  readonly #dims: readonly string[];

  /** @throws ReceptanceError `OUT_OF_MEMORY`; nothing is kept then */
  constructor(host: ExecutableHost, prepared: Prepared<WasmKernel>, parameters: WasmParameters) {
    super(host.device);
    this.graph = prepared.plan.graph;
    this.limits = prepared.limits;
    this.memory = prepared.plan.memory;
    this.parameters = parameters;
    this.#host = host;
    this.#compiled = compilePlan(prepared, parameters, host);

    const { program, registers, scratch } = this.#compiled;
    const frame = { registersAddress: registers.address, scratchAddress: scratch.address };
    const words = program.registers.map((content) => fixedWord(content, frame));
    host.memory.words(registers.address, words.length).setAll(words);
    this.#changing = program.registers.flatMap((content, index) => (isRunContent(content) ? [{ index, content }] : []));
    this.#dims = [...new Set(this.#changing.flatMap(({ content }) => (content.kind === 'size' ? content.dims : [])))];
  }

  free(): void {
    if (this.freed) return;
    this.freed = true;
    this.#host.release(this.#compiled.blocks);
  }

  /** What this run writes to the registers, and the program's tables; buffers are looked up now. */
  prepareRun(sizes: Sizes, bindings: Bindings, loop: Loop): PreparedRun {
    const { program, ports, code, registers, loop: loopBlock } = this.#compiled;
    const addresses = {
      input: this.#addresses(bindings.inputs, ports.input),
      output: this.#addresses(bindings.outputs, ports.output),
    };
    const size = new Map(this.#dims.map((dim) => [dim, sizeOf(dim, sizes)]));
    const words = this.#changing.map(({ index, content }): [number, number] => [
      index,
      content.kind === 'bound'
        ? (addresses[content.side].get(content.name) ?? 0)
        : content.dims.reduce((product, dim) => product * (size.get(dim) ?? 0), content.factor),
    ]);
    const steps = encodeLoop(loop, ports, sizes);
    const { memory } = this.#host;
    return {
      write: () => {
        const table = memory.words(registers.address, program.registers.length);
        for (const [index, word] of words) table.set(index, word);
        memory.words(loopBlock.address, steps.length).setAll(steps);
      },
      tables: [code.address, registers.address, loopBlock.address],
    };
  }

  #addresses(bound: Bindings['inputs'], ports: Ports['input']): ReadonlyMap<string, number> {
    return new Map(
      [...ports.keys()].map((name) => [name, ownObject(this.device, bound[name], WasmBuffer).block.address]),
    );
  }
}
