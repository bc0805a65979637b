import type { InstructionName } from './encoder.ts';
import { INSTRUCTIONS } from './instructions.gen.ts';
import { type Block, BlockGroup, type LinearMemory } from './memory.ts';

/** Addresses of code, registers and plan of a program. */
export type Tables = readonly [code: number, registers: number, plan: number];

/** The part of a device that chores need. */
export interface ChoreHost {
  readonly memory: LinearMemory;
  readonly threads: number;
  /** Runs a program after what was asked for before, on all threads or here. */
  execute(tables: Tables, where: 'everywhere' | 'here'): Promise<void>;
}

/** To wake the threads takes longer than to work on fewer bytes here. */
const WORTH_SHARING = 1 << 18;

/** The most operands that an instruction has. */
const MOST_OPERANDS = Math.max(...Object.values(INSTRUCTIONS).map(({ operands }) => operands.length));

/** Instructions that are run outside of any graph, one after the other: what is done to weights while they are loaded. */
export class Chores {
  readonly #host: ChoreHost;
  readonly #blocks: BlockGroup;
  readonly #code: Block;
  readonly #registers: Block;
  readonly #plan: Block;
  /** Of the next run. */
  readonly #words: { readonly code: number[]; readonly registers: number[] } = { code: [], registers: [] };
  #instructions = 0;
  #bytes = 0;

  /**
   * @param most instructions of a run
   * @throws ReceptanceError `OUT_OF_MEMORY`
   */
  constructor(host: ChoreHost, most: number) {
    this.#host = host;
    this.#blocks = new BlockGroup(host.memory);
    const words = (count: number): Block => this.#blocks.allocate(8 * count);
    this.#code = words(1 + most * (1 + MOST_OPERANDS));
    this.#registers = words(most * MOST_OPERANDS);
    this.#plan = words(3);
    // One step, nothing carried, nothing that moves on.
    host.memory.words(this.#plan.address, 3).setAll([1, 0, 0]);
  }

  /**
   * Adds an instruction to the next run.
   * @param bytes how much it works on
   */
  add<Name extends InstructionName>(
    name: Name,
    bytes: number,
    operands: Readonly<Record<(typeof INSTRUCTIONS)[Name]['operands'][number], number>>,
  ): void {
    const { opcode, operands: order } = INSTRUCTIONS[name];
    const { code, registers } = this.#words;
    const named: Readonly<Record<string, number>> = operands;
    code.push(opcode);
    for (const operand of order) {
      code.push(registers.length);
      registers.push(named[operand] ?? 0);
    }
    this.#instructions++;
    this.#bytes += bytes;
  }

  /** One at a time. */
  async run(): Promise<void> {
    const { code, registers } = this.#words;
    const { memory } = this.#host;
    memory.words(this.#code.address, 1 + code.length).setAll([this.#instructions, ...code]);
    memory.words(this.#registers.address, registers.length).setAll(registers);
    const where = this.#bytes < WORTH_SHARING ? 'here' : 'everywhere';
    [code.length, registers.length, this.#instructions, this.#bytes] = [0, 0, 0, 0];
    await this.#host.execute([this.#code.address, this.#registers.address, this.#plan.address], where);
  }

  free(): void {
    this.#blocks.free();
  }
}
