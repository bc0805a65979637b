import { BLOCKS, byteLength, type DType, type ParameterEntry, ReceptanceError, widen } from '@receptance/core';
import { type ChoreHost, Chores } from './chore.ts';
import { FORMATS, type Form, GROUP, groupBytes, isTransposed, packedShape, RUN } from './forms.ts';
import { align, type Block, BlockGroup, type LinearMemory } from './memory.ts';
import type { Range, Read } from './read-ahead.ts';

/** Bytes that are read and packed at a time: twice there are as many, and four times where they are read into other memory first. */
const BATCH_BYTES = { shared: 16 << 20, own: 8 << 20 };

/** As `packed::Packing` of the crate counts. */
const TOO_LARGE = 1;
const NOT_FINITE = 2;

/** A leaf and where it lies. */
export interface Leaf {
  readonly entry: ParameterEntry;
  readonly form: Form;
  readonly block: Block;
}

/** Some of a leaf: rows as it is packed, or elements where it lies row by row. */
interface Part extends Range {
  readonly leaf: Leaf;
  readonly from: number;
  readonly to: number;
}

/** A part that is loaded together with others, each of which has bytes of its own, from `at` on, wherever it is staged. */
export interface Piece extends Part {
  readonly at: number;
}

/** Parts that are loaded together, in order: few large ones, or many small ones. */
export function batchesOf(leaves: readonly Leaf[], { isShared }: LinearMemory): Piece[][] {
  const most = BATCH_BYTES[isShared ? 'shared' : 'own'];
  const batches: Piece[][] = [];
  let end = Number.POSITIVE_INFINITY;
  for (const part of leaves.flatMap((leaf) => [...partsOf(leaf, most)])) {
    const bytes = align(roomBytes(part));
    if (end + bytes > most) {
      batches.push([]);
      end = 0;
    }
    batches.at(-1)?.push({ ...part, at: end });
    end += bytes;
  }
  return batches;
}

/** The parts that a leaf is loaded by, in order, of at most so many stored bytes; none of one that is not stored. */
function* partsOf(leaf: Leaf, most: number): Generator<Part> {
  const { name, stored, shape, elements } = leaf.entry;
  if (stored === undefined) return;
  const { form } = leaf;
  if (form.kind !== 'rows' && isTransposed(form)) {
    // Its rows are the columns of what is stored.
    yield { leaf, name, start: 0, end: stored.bytes, from: 0, to: packedShape(form, shape)[0] };
    return;
  }
  const block = BLOCKS[stored.dtype];
  const [outer, inner] = form.kind === 'rows' ? [elements, 1] : packedShape(form, shape);
  const whole = { rows: block.elements, packed: GROUP, columns: RUN }[form.kind];
  const step = Math.max(1, Math.floor(most / byteLength(stored.dtype, whole * inner))) * whole;
  for (let from = 0; from < outer; from += step) {
    const to = Math.min(outer, from + step);
    const [start, end] = [byteLength(stored.dtype, from * inner), byteLength(stored.dtype, to * inner)];
    yield { leaf, name, start, end, from, to };
  }
}

/** Puts stored bytes where and how they are to lie in memory, on all threads. */
export class Placer {
  readonly #host: ChoreHost;
  readonly #blocks: BlockGroup;
  readonly #chores: Chores;
  /** How each piece of a batch went. */
  readonly #worst: Block;
  /** For each thread four rows of what is stored as columns. */
  readonly #room: Block;
  /** What is packed, and what is read meanwhile, in turns. */
  readonly #staging: readonly Block[];
  readonly #rooms = [new Uint8Array(0), new Uint8Array(0)];
  readonly #roomBytes: number;

  /**
   * @param batches all that will be placed
   * @throws ReceptanceError `OUT_OF_MEMORY`
   */
  constructor(host: ChoreHost, batches: readonly (readonly Piece[])[]) {
    const pieces = batches.flat();
    const most = batches.reduce((length, batch) => Math.max(length, batch.length), 0);
    this.#host = host;
    this.#blocks = new BlockGroup(host.memory);
    this.#roomBytes = largest(pieces, (piece) => piece.at + roomBytes(piece));
    const staged = largest(pieces, (piece) => piece.at + stagedBytes(piece));
    this.#staging = [0, 1].map(() => this.#blocks.allocate(staged));
    this.#room = this.#blocks.allocate(host.threads * largest(pieces, groupOf));
    this.#worst = this.#blocks.allocate(4 * most);
    this.#chores = new Chores(host, most);
  }

  free(): void {
    this.#blocks.free();
    this.#chores.free();
  }

  /**
   * Where the bytes of a piece are best read to: where they are needed, if they are needed as they are and the memory is
   * one that stays in its place when it grows.
   */
  roomFor(piece: Piece, turn: number): Uint8Array {
    const { leaf, start, end, at } = piece;
    if (this.#host.memory.isShared && isAsStored(leaf)) return this.#targetOf(piece, turn);
    const room = this.#rooms[turn]?.length ? this.#rooms[turn] : new Uint8Array(this.#roomBytes);
    this.#rooms[turn] = room;
    return room.subarray(at, at + end - start);
  }

  /**
   * Places a batch.
   * @returns the leaves with numbers that their format cannot hold as it is packed (halves of 128 and more): f32 can
   * @throws ReceptanceError `NOT_FINITE`
   */
  async place(batch: readonly Read<Piece>[]): Promise<Leaf[]> {
    const worst = (): Float32Array | Int32Array => this.#host.memory.numbers('i32', this.#worst.address, batch.length);
    for (const [i, read] of batch.entries()) this.#add(read, this.#worst.address + 4 * i);
    worst().fill(0);
    await this.#chores.run();
    const went = worst();
    const broken = batch[went.indexOf(NOT_FINITE)];
    if (broken !== undefined) throw notFinite(broken.piece);
    return batch.filter((_, i) => went[i] === TOO_LARGE).map(({ piece }) => piece.leaf);
  }

  /** What is to be done with a piece, once its bytes are there in the type of its form. */
  #add({ piece, bytes, turn }: Read<Piece>, worst: number): void {
    const { leaf, from, to } = piece;
    const { entry, form } = leaf;
    const target = this.#targetOf(piece, turn);
    const size = target.byteLength;
    if (entry.value.dtype === 'i32') widen('i32', bytes, new Int32Array(target.buffer, target.byteOffset, to - from));
    else if (bytes.buffer !== target.buffer) recode(bytes, entry.stored?.dtype ?? 'f32', target, form.format);
    const format = FORMATS[form.format].number;
    const staged = { format, from: target.byteOffset, rows: to - from, worst };
    if (form.kind === 'packed') {
      const [, inner] = packedShape(form, entry.shape);
      const place = leaf.block.address + (from / GROUP) * groupBytes(form.format, inner);
      const packed = { ...staged, to: place, inner };
      if (form.transposed) this.#chores.add('pack_transposed', size, { ...packed, room: this.#room.address });
      else this.#chores.add('pack', size, packed);
    } else if (form.kind === 'columns') {
      const [outer, inner] = packedShape(form, entry.shape);
      this.#chores.add('pack_columns', size, { ...staged, to: leaf.block.address, first: from, inner, outer });
    } else if (entry.value.dtype !== 'i32') {
      this.#chores.add('check_finite', size, { format, x: target.byteOffset, count: to - from, worst });
    }
  }

  /** Where a piece lies in the type of its form: in its place, or where it is packed from. */
  #targetOf(piece: Piece, turn: number): Uint8Array {
    const { leaf, from, to, at } = piece;
    const { memory } = this.#host;
    const { form, block } = leaf;
    const staging = this.#staging[turn];
    if (form.kind !== 'rows' && staging !== undefined) return memory.bytes(staging.address + at, stagedBytes(piece));
    return memory.bytes(block.address + byteLength(form.format, from), byteLength(form.format, to - from));
  }
}

function largest(pieces: readonly Piece[], of: (piece: Piece) => number): number {
  return pieces.reduce((most, piece) => Math.max(most, of(piece)), 0);
}

/** Bytes of a packed group, at least those of its four rows as stored. */
function groupOf({ leaf: { entry, form } }: Piece): number {
  return form.kind === 'packed' && form.transposed ? groupBytes(form.format, packedShape(form, entry.shape)[1]) : 0;
}

/** Bytes of a piece in the type that it is packed from; 0 of what is not packed. */
function stagedBytes({ leaf: { entry, form }, from, to }: Part): number {
  return form.kind === 'rows' ? 0 : byteLength(form.format, (to - from) * packedShape(form, entry.shape)[1]);
}

/** Bytes that a part may need on its way. */
function roomBytes(part: Part): number {
  return Math.max(part.end - part.start, stagedBytes(part));
}

/** Whether a leaf lies, or is packed from, the bytes that are stored. */
function isAsStored({ entry, form }: Leaf): boolean {
  return entry.stored?.dtype === form.format;
}

/** The numbers themselves were not looked at one by one. */
function notFinite({ leaf, name, from, to }: Piece): ReceptanceError {
  const what = leaf.form.kind === 'rows' ? 'elements' : 'rows';
  const message = `tensor ${name} holds a number that is not finite in ${what} ${from} to ${to - 1}`;
  return new ReceptanceError('NOT_FINITE', message, {
    hint: 'the checkpoint is damaged, or its training had diverged',
  });
}

/** The same numbers in the type that they are to lie in. */
function recode(bytes: Uint8Array, from: DType, out: Uint8Array, to: DType): void {
  if (from === to) out.set(bytes);
  else if (from === 'q5_0' && to === 'q8_0') q5ToQ8(bytes, out);
  else widen(from, bytes, new Float32Array(out.buffer, out.byteOffset, out.byteLength / 4));
}

/** Blocks of Q5_0 (scale, fifth bits, 16 bytes of four bits) as blocks of Q8_0: the same scale, the same whole numbers. */
function q5ToQ8(bytes: Uint8Array, out: Uint8Array): void {
  const [from, to] = [BLOCKS.q5_0.bytes, BLOCKS.q8_0.bytes];
  const count = bytes.byteLength / from;
  for (let i = 0; i < count; i++) {
    const block = bytes.subarray(i * from, (i + 1) * from);
    out.set(block.subarray(0, 2), i * to);
    for (let j = 0; j < 32; j++) {
      const four = ((block[6 + (j % 16)] ?? 0) >> (j < 16 ? 0 : 4)) & 15;
      const fifth = ((block[2 + (j >> 3)] ?? 0) >> (j & 7)) & 1;
      out[i * to + 2 + j] = (four | (fifth << 4)) - 16;
    }
  }
}
