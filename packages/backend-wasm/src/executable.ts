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
import { type Compiled, compilePlan } from './compile.ts';
import { fixedWord, isRunContent, type RunContent } from './encoder.ts';
import type { WasmKernel } from './kernel.ts';
import type { LinearMemory } from './memory.ts';
import type { Kernels } from './module.ts';
import type { WasmParameters } from './parameters.ts';
import { encodeLoop, type Ports } from './ports.ts';

/** A program in memory, with the buffers that its steps share. */
export class WasmExecutable extends DeviceObject implements Executable {
  readonly graph: Graph;
  readonly limits: Sizes;
  readonly memory: Plan['memory'];
  readonly parameters: WasmParameters;
  readonly #linear: LinearMemory;
  readonly #compiled: Compiled;
  /** The registers that every run writes anew, and the dimensions they are made of. */
  readonly #changing: readonly { readonly index: number; readonly content: RunContent }[];
  readonly #dims: readonly string[];

  /** @throws ReceptanceError `OUT_OF_MEMORY`; nothing is kept then */
  constructor(device: object, memory: LinearMemory, prepared: Prepared<WasmKernel>, parameters: WasmParameters) {
    super(device);
    this.graph = prepared.plan.graph;
    this.limits = prepared.limits;
    this.memory = prepared.plan.memory;
    this.parameters = parameters;
    this.#linear = memory;
    this.#compiled = compilePlan(prepared, parameters, memory);

    const { program, registers, scratch } = this.#compiled;
    const frame = { registersAddress: registers.address, scratchAddress: scratch.address };
    const words = program.registers.map((content) => fixedWord(content, frame));
    memory.words(registers.address, words.length).set(words);
    this.#changing = program.registers.flatMap((content, index) => (isRunContent(content) ? [{ index, content }] : []));
    this.#dims = [...new Set(this.#changing.flatMap(({ content }) => (content.kind === 'size' ? content.dims : [])))];
  }

  free(): void {
    if (this.freed) return;
    this.freed = true;
    this.#compiled.blocks.free();
  }

  /** Writes what this run is given to the registers, and calls the program once for all steps of the loop. */
  run(kernels: Kernels, sizes: Sizes, bindings: Bindings, loop: Loop): void {
    const { program, ports, code, registers, loop: loopBlock } = this.#compiled;
    const addresses = {
      input: this.#addresses(bindings.inputs, ports.input),
      output: this.#addresses(bindings.outputs, ports.output),
    };
    const size = new Map(this.#dims.map((dim) => [dim, sizeOf(dim, sizes)]));
    const words = this.#linear.words(registers.address, program.registers.length);
    for (const { index, content } of this.#changing) {
      words[index] =
        content.kind === 'bound'
          ? (addresses[content.side].get(content.name) ?? 0)
          : content.dims.reduce((product, dim) => product * (size.get(dim) ?? 0), content.factor);
    }
    const steps = encodeLoop(loop, ports, sizes);
    this.#linear.words(loopBlock.address, steps.length).set(steps);
    kernels.run(code.address, registers.address, loopBlock.address);
  }

  #addresses(bound: Bindings['inputs'], ports: Ports['input']): ReadonlyMap<string, number> {
    return new Map(
      [...ports.keys()].map((name) => [name, ownObject(this.device, bound[name], WasmBuffer).block.address]),
    );
  }
}
