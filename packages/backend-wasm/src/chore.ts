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

/** One instruction that is run outside of any graph: what is done to weights while they are loaded. */
export class Chore<Name extends InstructionName> {
  readonly #host: ChoreHost;
  readonly #operands: readonly string[];
  readonly #blocks: BlockGroup;
  readonly #code: Block;
  readonly #registers: Block;
  readonly #plan: Block;

  /** @throws ReceptanceError `OUT_OF_MEMORY` */
  constructor(host: ChoreHost, name: Name) {
    const { opcode, operands } = INSTRUCTIONS[name];
    this.#host = host;
    this.#operands = operands;
    this.#blocks = new BlockGroup(host.memory);
    const place = (words: readonly number[]): Block => {
      const block = this.#blocks.allocate(8 * words.length);
      host.memory.words(block.address, words.length).setAll(words);
      return block;
    };
    this.#code = place([1, opcode, ...operands.keys()]);
    this.#registers = place(operands.map(() => 0));
    // One step, nothing carried, nothing that moves on.
    this.#plan = place([1, 0, 0]);
  }

  /**
   * One at a time.
   * @param bytes how much it works on
   */
  async run(
    bytes: number,
    operands: Readonly<Record<(typeof INSTRUCTIONS)[Name]['operands'][number], number>>,
  ): Promise<void> {
    const words: Readonly<Record<string, number>> = operands;
    const table = this.#host.memory.words(this.#registers.address, this.#operands.length);
    table.setAll(this.#operands.map((name) => words[name] ?? 0));
    const tables = [this.#code.address, this.#registers.address, this.#plan.address] as const;
    await this.#host.execute(tables, bytes < WORTH_SHARING ? 'here' : 'everywhere');
  }

  free(): void {
    this.#blocks.free();
  }
}
