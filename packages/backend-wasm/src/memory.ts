import { ReceptanceError } from '@receptance/core';
import { PAGE } from './variants.ts';

/** Memory grows by whole mebibytes. */
const GROWTH = 16;
/** Blocks begin on a cache line. */
const ALIGNMENT = 64;

/** A piece of memory, until it is freed. */
export interface Block {
  readonly address: number;
  readonly bytes: number;
}

interface Guarded {
  readonly whole: Block;
  readonly block: Block;
}

export interface MemoryLayout {
  readonly base: number;
  readonly most: number;
  readonly memory64: boolean;
  /** Whether marks lie around every block: see `damaged`. */
  readonly guarded?: boolean;
}

/** What marks are made of: as an f32 it is NaN, so that numbers read from them show as well. */
const MARK = 0xff;

/**
 * The linear memory that kernels work in, and who has which part of it. Free blocks are kept in the order of their
 * addresses and joined with their neighbours.
 *
 * Views are made for one use and never kept: memory that grows detaches them.
 */
export class LinearMemory {
  readonly memory: WebAssembly.Memory;
  #free: Block[] = [];
  /** Everything from here on belongs to nobody yet. */
  #end: number;
  /** Bytes that memory may grow to. */
  readonly most: number;
  readonly #grow: (pages: number) => void;
  /** The whole pieces of blocks that have marks around them, by the block's address. */
  readonly #guarded: Map<number, Guarded> | undefined;

  /** @param base what lies below it is the module's own */
  constructor(memory: WebAssembly.Memory, { base, most, memory64, guarded = false }: MemoryLayout) {
    this.#guarded = guarded ? new Map() : undefined;
    this.memory = memory;
    this.#end = align(base);
    this.most = most;
    // The engine counts the pages of such a memory in bigint, which the types do not know yet.
    this.#grow = (pages) => void memory.grow(memory64 ? (BigInt(pages) as never) : pages);
  }

  /**
   * Memory whose content is left over from others.
   * @throws ReceptanceError `OUT_OF_MEMORY`; nothing is changed then
   */
  allocate(bytes: number): Block {
    if (this.#guarded === undefined) return this.#take(bytes);
    const whole = this.#take(ALIGNMENT + bytes + ALIGNMENT);
    this.bytes(whole.address, whole.bytes).fill(MARK);
    const block = { address: whole.address + ALIGNMENT, bytes };
    this.#guarded.set(block.address, { whole, block });
    return block;
  }

  /** Blocks next to which something was written: a kernel’s fault. None without guards. */
  damaged(): Block[] {
    return [...(this.#guarded?.values() ?? [])].filter((guarded) => !this.#isIntact(guarded)).map(({ block }) => block);
  }

  #isIntact({ whole, block }: Guarded): boolean {
    const bytes = this.bytes(whole.address, whole.bytes);
    const [begin, end] = [block.address - whole.address, block.address + block.bytes - whole.address];
    return bytes.subarray(0, begin).every(isMark) && bytes.subarray(end).every(isMark);
  }

  #take(bytes: number): Block {
    const size = align(Math.max(bytes, 1));
    const at = this.#bestFit(size);
    const found = this.#free[at];
    if (found !== undefined) {
      const rest = { address: found.address + size, bytes: found.bytes - size };
      this.#free.splice(at, 1, ...(rest.bytes > 0 ? [rest] : []));
      return { address: found.address, bytes: size };
    }
    const last = this.#free.at(-1);
    const extends_ = last !== undefined && last.address + last.bytes === this.#end;
    const address = extends_ ? last.address : this.#end;
    this.#growTo(address + size);
    if (extends_) this.#free.pop();
    this.#end = address + size;
    return { address, bytes: size };
  }

  /** Memory filled with zeros. @throws ReceptanceError `OUT_OF_MEMORY` */
  allocateZeroed(bytes: number): Block {
    const untouched = this.#end;
    const block = this.allocate(bytes);
    // What nobody had before is zero, and costs nothing before it is used.
    const used =
      this.#guarded === undefined ? Math.min(block.bytes, Math.max(0, untouched - block.address)) : block.bytes;
    this.bytes(block.address, used).fill(0);
    return block;
  }

  free(block: Block): void {
    const guarded = this.#guarded?.get(block.address);
    this.#guarded?.delete(block.address);
    this.#give(guarded?.whole ?? block);
  }

  #give(block: Block): void {
    const at = this.#free.findIndex(({ address }) => address > block.address);
    const index = at < 0 ? this.#free.length : at;
    const [before, after] = [this.#free[index - 1], this.#free[index]];
    const joinsBefore = before !== undefined && before.address + before.bytes === block.address;
    const joinsAfter = after !== undefined && block.address + block.bytes === after.address;
    const address = joinsBefore ? before.address : block.address;
    const end = joinsAfter ? after.address + after.bytes : block.address + block.bytes;
    const joined = { address, bytes: end - address };
    this.#free.splice(index - (joinsBefore ? 1 : 0), (joinsBefore ? 1 : 0) + (joinsAfter ? 1 : 0), joined);
  }

  numbers(dtype: 'f32' | 'i32', address: number, elements: number): Float32Array | Int32Array {
    return dtype === 'i32'
      ? new Int32Array(this.memory.buffer, address, elements)
      : new Float32Array(this.memory.buffer, address, elements);
  }

  halves(address: number, elements: number): Uint16Array {
    return new Uint16Array(this.memory.buffer, address, elements);
  }

  bytes(address: number, length: number): Uint8Array {
    return new Uint8Array(this.memory.buffer, address, length);
  }

  /** Words of a program, 64 bits each, as a setter by index; they are whole numbers ≥ 0. */
  words(address: number, count: number): Words {
    return new Words(new Uint32Array(this.memory.buffer, address, 2 * count));
  }

  /** Whether several threads have it; then views stay valid when it grows. */
  get isShared(): boolean {
    return !(this.memory.buffer instanceof ArrayBuffer);
  }

  /** Bytes that nobody has, of those the memory has grown to. */
  get unusedBytes(): number {
    return this.#free.reduce((sum, { bytes }) => sum + bytes, this.memory.buffer.byteLength - this.#end);
  }

  /** The place in the free list of the smallest block that is large enough, or the length of the list. */
  #bestFit(size: number): number {
    let best = this.#free.length;
    this.#free.forEach(({ bytes }, at) => {
      if (bytes >= size && bytes < (this.#free[best]?.bytes ?? Number.POSITIVE_INFINITY)) best = at;
    });
    return best;
  }

  #growTo(end: number): void {
    const have = this.memory.buffer.byteLength / PAGE;
    const need = Math.ceil(end / PAGE);
    if (need <= have) return;
    const fail = (cause?: unknown): never => {
      const used = have * PAGE - this.unusedBytes;
      throw new ReceptanceError('OUT_OF_MEMORY', `${end} bytes of memory are needed, ${this.most} are the limit`, {
        hint: `${used} bytes are in use: free what is done with, compile with smaller limits, or take a smaller model`,
        cause,
      });
    };
    if (end > this.most) return fail();
    try {
      this.#grow(Math.min(Math.ceil(need / GROWTH) * GROWTH, Math.floor(this.most / PAGE)) - have);
    } catch (error) {
      fail(error);
    }
  }
}

/** Words of 64 bits in memory. */
export class Words {
  readonly #halves: Uint32Array;

  constructor(halves: Uint32Array) {
    this.#halves = halves;
  }

  set(index: number, word: number): void {
    this.#halves[2 * index] = word;
    this.#halves[2 * index + 1] = Math.floor(word / 2 ** 32);
  }

  setAll(words: ArrayLike<number>): void {
    for (let i = 0; i < words.length; i++) this.set(i, words[i] ?? 0);
  }
}

/** Blocks that are freed together: all that one object has, or had when making it failed. */
export class BlockGroup {
  readonly #memory: LinearMemory;
  #blocks: Block[] = [];

  constructor(memory: LinearMemory) {
    this.#memory = memory;
  }

  /** @throws ReceptanceError `OUT_OF_MEMORY` */
  allocate(bytes: number): Block {
    return this.#keep(this.#memory.allocate(bytes));
  }

  /** @throws ReceptanceError `OUT_OF_MEMORY` */
  allocateZeroed(bytes: number): Block {
    return this.#keep(this.#memory.allocateZeroed(bytes));
  }

  #keep(block: Block): Block {
    this.#blocks.push(block);
    return block;
  }

  /** Frees one of the blocks before the others. */
  release(block: Block): void {
    this.#blocks = this.#blocks.filter((own) => own !== block);
    this.#memory.free(block);
  }

  get bytes(): number {
    return this.#blocks.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  free(): void {
    for (const block of this.#blocks) this.#memory.free(block);
    this.#blocks = [];
  }
}

function isMark(byte: number): boolean {
  return byte === MARK;
}

/** As many bytes, up to where a block may begin. */
export function align(bytes: number): number {
  return Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
}
