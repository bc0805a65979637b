import { ReceptanceError } from '@receptance/core';

const PAGE = 65536;
/** Memory grows by whole mebibytes. */
const GROWTH = 16;
/** One page less than 4 GiB, so that the end of memory still has an address. */
const MOST_PAGES = 65535;
/** Blocks begin on a cache line. */
const ALIGNMENT = 64;

/** A piece of memory, until it is freed. */
export interface Block {
  readonly address: number;
  readonly bytes: number;
}

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
  readonly #most: number;

  /**
   * @param memory holds what the module keeps for itself below `base`
   * @param most bytes that memory may grow to
   */
  constructor(memory: WebAssembly.Memory, base: number, most: number = MOST_PAGES * PAGE) {
    this.memory = memory;
    this.#end = align(base);
    this.#most = Math.min(most, MOST_PAGES * PAGE);
  }

  /**
   * Memory whose content is left over from others.
   * @throws ReceptanceError `OUT_OF_MEMORY`; nothing is changed then
   */
  allocate(bytes: number): Block {
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
    const block = this.allocate(bytes);
    new Uint8Array(this.memory.buffer, block.address, block.bytes).fill(0);
    return block;
  }

  free(block: Block): void {
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

  words(address: number, elements: number): Uint32Array {
    return new Uint32Array(this.memory.buffer, address, elements);
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
      throw new ReceptanceError('OUT_OF_MEMORY', `${end} bytes of memory are needed, ${this.#most} are the limit`, {
        hint: `${used} bytes are in use: free what is done with, compile with smaller limits, or take a smaller model`,
        cause,
      });
    };
    if (end > this.#most) return fail();
    try {
      this.memory.grow(Math.min(Math.ceil(need / GROWTH) * GROWTH, MOST_PAGES) - have);
    } catch (error) {
      fail(error);
    }
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
    const block = this.#memory.allocate(bytes);
    this.#blocks.push(block);
    return block;
  }

  get bytes(): number {
    return this.#blocks.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  free(): void {
    for (const block of this.#blocks) this.#memory.free(block);
    this.#blocks = [];
  }
}

function align(bytes: number): number {
  return Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
}
