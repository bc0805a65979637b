import { elementCount, ReceptanceError, type Sizes, type Storage, type Value } from '@receptance/core';
import { type Axis, type Product, splitProduct } from './axes.ts';
import type { Crate, ScratchName } from './crate.ts';
import { type Form, ROWS } from './forms.ts';
import { INSTRUCTIONS } from './instructions.gen.ts';

export type InstructionName = keyof typeof INSTRUCTIONS;
type OperandsOf<Name extends InstructionName> = Readonly<
  Record<(typeof INSTRUCTIONS)[Name]['operands'][number], Register>
>;

/** A word of the program's table of registers; every operand of an instruction is one. */
export interface Register {
  readonly index: number;
}

/** What the word of a register is, or becomes when a run begins. */
export type Content =
  | { readonly kind: 'word'; readonly word: number }
  /** A product of sizes bound per run. */
  | { readonly kind: 'size'; readonly factor: number; readonly dims: readonly string[] }
  /** The address of a buffer bound per run. */
  | { readonly kind: 'bound'; readonly side: 'input' | 'output'; readonly name: string }
  /** The address of the register `first`: of a table inside the table. */
  | { readonly kind: 'table'; readonly first: number }
  | { readonly kind: 'scratch' };

/** A program as it lies in memory, but for what is known only when it is placed there or run. */
export interface Program {
  readonly code: readonly number[];
  readonly registers: readonly Content[];
  /** What its kernels need beside their operands, on all threads together; they take turns. */
  readonly scratchBytes: number;
}

/** Where the encoder finds the values of a plan. */
export interface Places {
  storageOf(value: Value): Storage | undefined;
  /** The address of storage; none of inputs and outputs, which are bound per run. */
  addressOf(storage: Storage): number | undefined;
  formOf(storage: Storage): Form;
  readonly threads: number;
  readonly scratch: Crate['scratch'];
}

/** Writes a program, instruction by instruction. Kernels are given one. */
export class Encoder {
  readonly #places: Places;
  readonly #limits: Sizes;
  readonly #code: number[] = [];
  #instructions = 0;
  readonly #registers: Content[] = [];
  readonly #known = new Map<string, Register>();
  #scratchBytes = 0;

  constructor(places: Places, limits: Sizes) {
    this.#places = places;
    this.#limits = limits;
  }

  /** Adds an instruction of the crate; operands go by the names in its table. */
  emit<Name extends InstructionName>(name: Name, operands: OperandsOf<Name>): void {
    const named: Readonly<Record<string, Register>> = operands;
    const { opcode, operands: order } = INSTRUCTIONS[name];
    const indices = order.map((operand) => {
      const register = named[operand];
      if (register === undefined) throw new Error(`instruction ${name} misses operand ${operand}`);
      return register.index;
    });
    this.#code.push(opcode, ...indices);
    this.#instructions++;
  }

  /**
   * Where a value lies, row by row; 0 when there is none.
   * @throws ReceptanceError `BAD_GRAPH` for a weight that was loaded for other uses, and lies otherwise
   */
  address(value: Value | undefined): Register {
    if (value === undefined) return this.word(0);
    const { form, address } = this.weight(value);
    if (form.kind === 'rows' && form.format === 'f32') return address;
    const storage = this.#places.storageOf(value);
    const name = storage !== undefined && 'name' in storage ? storage.name : `value ${value.id}`;
    throw otherUse(name);
  }

  /** Where a value lies, and how: for kernels that read weights as they are stored. */
  weight(value: Value): { readonly address: Register; readonly form: Form } {
    const storage = this.#places.storageOf(value);
    if (storage === undefined) throw new Error(`value ${value.id} has no storage`);
    return { address: this.place(storage), form: storage.kind === 'parameter' ? this.#places.formOf(storage) : ROWS };
  }

  /** Where a piece of storage lies. */
  place(storage: Storage): Register {
    if (storage.kind === 'input' || storage.kind === 'output') {
      return this.#register({ kind: 'bound', side: storage.kind, name: storage.name });
    }
    const address = this.#places.addressOf(storage);
    if (address === undefined) throw new Error(`${JSON.stringify(storage)} has no place`);
    return this.word(address);
  }

  /** A product of dimensions, in elements: `size(...value.shape)` counts them. */
  size(...dims: Product): Register {
    const { factor, dims: symbols } = splitProduct(dims);
    if (symbols.length === 0 || factor === 0) return this.word(factor);
    return this.#register({ kind: 'size', factor, dims: symbols });
  }

  word(word: number): Register {
    return this.#register({ kind: 'word', word });
  }

  /** The bits of an f32. */
  float(x: number): Register {
    return this.word(new Uint32Array(Float32Array.of(x).buffer)[0] ?? 0);
  }

  /**
   * Memory for as many f32 as `dims` are at their limits, for each thread, one after the other. It is the instruction's
   * own while it runs.
   */
  scratch(...dims: Product): Register {
    return this.scratchOf(this.most(...dims));
  }

  /** The same for a number of f32 that is no product. */
  scratchOf(elements: number): Register {
    return this.#scratch(elements * this.#places.threads);
  }

  /** The same as the crate tells it for an instruction, from dimensions at their limits. */
  scratchFor(of: ScratchName, ...dims: Product): Register {
    const sizes = dims.map((dim) => this.most(dim));
    return this.#scratch(this.#places.scratch(of, this.#places.threads, ...sizes));
  }

  /** A product of dimensions at their limits. */
  most(...dims: Product): number {
    return elementCount(dims, this.#limits);
  }

  /** An index space, as the crate's `Axes` reads it. `operands`: how many of them move in it. */
  axes(axes: readonly Axis[], operands: number): Register {
    const used = axes.length > 0 ? axes : [{ size: [], strides: Array<0>(operands).fill(0) }];
    const sizes = used.map(({ size }) => this.size(...size));
    const strides = Array.from({ length: operands }, (_, k) =>
      used.map((axis) => {
        const stride = axis.strides[k] ?? 0;
        return stride === 0 ? this.word(0) : this.size(...stride);
      }),
    );
    return this.table([this.word(used.length), ...sizes, ...strides.flat()]);
  }

  /** The address of a register, for tables whose words differ from run to run. */
  reference({ index }: Register): Register {
    return this.#register({ kind: 'table', first: index });
  }

  finish(): Program {
    return { code: [this.#instructions, ...this.#code], registers: this.#registers, scratchBytes: this.#scratchBytes };
  }

  #scratch(elements: number): Register {
    this.#scratchBytes = Math.max(this.#scratchBytes, 4 * elements);
    return this.#register({ kind: 'scratch' });
  }

  /** The address of a table of words. */
  table(registers: readonly Register[]): Register {
    const key = `table ${registers.map(({ index }) => index).join(' ')}`;
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const first = this.#registers.length;
    for (const { index } of registers) this.#registers.push(this.#registers[index] ?? { kind: 'word', word: 0 });
    const register = this.#register({ kind: 'table', first });
    this.#known.set(key, register);
    return register;
  }

  #register(content: Content): Register {
    const key = keyOf(content);
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const register = { index: this.#registers.push(content) - 1 };
    this.#known.set(key, register);
    return register;
  }
}

function keyOf(content: Content): string {
  switch (content.kind) {
    case 'word':
      return `${content.word}`;
    case 'size':
      return `size ${content.factor} ${content.dims.join(' ')}`;
    case 'bound':
      return `${content.side} ${content.name}`;
    case 'table':
      return `at ${content.first}`;
    case 'scratch':
      return 'scratch';
  }
}

/** For a kernel that meets a weight in a form it does not read. */
export function otherUse(name: string): ReceptanceError {
  return new ReceptanceError('BAD_GRAPH', `${name} was loaded for other uses than this graph has of it`, {
    hint: 'pass every graph that will be compiled to loadParameters',
  });
}

/** What a program is given: addresses that stay, and per run sizes and bound buffers. */
export interface Frame {
  readonly registersAddress: number;
  readonly scratchAddress: number;
}

/** A register whose word differs from run to run. */
export type RunContent = Extract<Content, { readonly kind: 'size' | 'bound' }>;

export function isRunContent(content: Content): content is RunContent {
  return content.kind === 'size' || content.kind === 'bound';
}

/** The word of a register that no run changes; 0 for the others. */
export function fixedWord(content: Content, frame: Frame): number {
  switch (content.kind) {
    case 'word':
      return content.word;
    case 'table':
      return frame.registersAddress + 8 * content.first;
    case 'scratch':
      return frame.scratchAddress;
    case 'size':
    case 'bound':
      return 0;
  }
}
