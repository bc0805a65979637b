import { BLOCKS, byteLength, type DType, type ParameterEntry, ReceptanceError, widen } from '@receptance/core';
import { Chore, type ChoreHost } from './chore.ts';
import { FORMATS, type Form, GROUP, groupBytes, isTransposed, packedShape, RUN } from './forms.ts';
import { type Block, BlockGroup } from './memory.ts';
import type { Range, Read } from './read-ahead.ts';

/** Stored bytes that are read and packed at a time. */
const PIECE_BYTES = 8 << 20;

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
export interface Piece extends Range {
  readonly leaf: Leaf;
  readonly from: number;
  readonly to: number;
}

/** The pieces that a leaf is loaded by, in order; none of one that is not stored. */
export function* piecesOf(leaf: Leaf): Generator<Piece> {
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
  const step = Math.max(1, Math.floor(PIECE_BYTES / byteLength(stored.dtype, whole * inner))) * whole;
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
  readonly #worst: Block;
  readonly #pack: Chore<'pack'>;
  readonly #packTransposed: Chore<'pack_transposed'>;
  /** For each thread four rows of what is stored as columns. */
  readonly #room: Block;
  readonly #packColumns: Chore<'pack_columns'>;
  readonly #checkFinite: Chore<'check_finite'>;
  /** What is packed, and what is read meanwhile, in turns. */
  readonly #staging: readonly Block[];
  readonly #rooms = [new Uint8Array(0), new Uint8Array(0)];

  /**
   * @param pieces all that will be placed
   * @throws ReceptanceError `OUT_OF_MEMORY`
   */
  constructor(host: ChoreHost, pieces: readonly Piece[]) {
    this.#host = host;
    this.#blocks = new BlockGroup(host.memory);
    this.#worst = this.#blocks.allocate(4);
    const most = largest(pieces, stagedBytes);
    this.#staging = [0, 1].map(() => this.#blocks.allocate(most));
    this.#pack = new Chore(host, 'pack');
    this.#packTransposed = new Chore(host, 'pack_transposed');
    this.#room = this.#blocks.allocate(host.threads * largest(pieces, groupOf));
    this.#packColumns = new Chore(host, 'pack_columns');
    this.#checkFinite = new Chore(host, 'check_finite');
  }

  free(): void {
    this.#blocks.free();
    this.#pack.free();
    this.#packTransposed.free();
    this.#packColumns.free();
    this.#checkFinite.free();
  }

  /**
   * Where the bytes of a piece are best read to: where they are needed, if they are needed as they are and the memory is
   * one that stays in its place when it grows.
   */
  roomFor(piece: Piece, turn: number): Uint8Array {
    const { leaf, start, end } = piece;
    if (this.#host.memory.isShared && isAsStored(leaf)) return this.#targetOf(piece, turn);
    const room = this.#rooms[turn];
    if (room !== undefined && room.length >= end - start) return room.subarray(0, end - start);
    const larger = new Uint8Array(end - start);
    this.#rooms[turn] = larger;
    return larger;
  }

  /**
   * @returns false when there are numbers that the format cannot hold as it is packed (halves of 128 and more): f32 can
   * @throws ReceptanceError `NOT_FINITE`
   */
  async place({ piece, bytes, turn }: Read<Piece>): Promise<boolean> {
    const { leaf, name, from, to } = piece;
    const { entry, form } = leaf;
    const { memory } = this.#host;
    const target = this.#targetOf(piece, turn);
    if (entry.value.dtype === 'i32') widen('i32', bytes, new Int32Array(target.buffer, target.byteOffset, to - from));
    else if (bytes.buffer !== target.buffer) recode(bytes, entry.stored?.dtype ?? 'f32', target, form.format);
    memory.numbers('i32', this.#worst.address, 1)[0] = 0;
    const [format, worst] = [FORMATS[form.format].number, this.#worst.address];
    const staged = { format, from: target.byteOffset, rows: to - from, worst };
    if (form.kind === 'packed') {
      const [, inner] = packedShape(form, entry.shape);
      const place = leaf.block.address + (from / GROUP) * groupBytes(form.format, inner);
      const packed = { ...staged, to: place, inner };
      if (form.transposed) await this.#packTransposed.run(target.byteLength, { ...packed, room: this.#room.address });
      else await this.#pack.run(target.byteLength, packed);
    } else if (form.kind === 'columns') {
      const [outer, inner] = packedShape(form, entry.shape);
      await this.#packColumns.run(target.byteLength, { ...staged, to: leaf.block.address, first: from, inner, outer });
    } else if (entry.value.dtype !== 'i32') {
      await this.#checkFinite.run(target.byteLength, { format, x: target.byteOffset, count: to - from, worst });
    }
    const went = memory.numbers('i32', this.#worst.address, 1)[0];
    if (went === NOT_FINITE) throw notFinite(name, form.kind === 'rows' ? 'elements' : 'rows', from, to);
    return went !== TOO_LARGE;
  }

  /** Where a piece lies in the type of its form: in its place, or where it is packed from. */
  #targetOf(piece: Piece, turn: number): Uint8Array {
    const { leaf, from, to } = piece;
    const { memory } = this.#host;
    const { form, block } = leaf;
    const staging = this.#staging[turn];
    if (form.kind !== 'rows' && staging !== undefined) return memory.bytes(staging.address, stagedBytes(piece));
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
function stagedBytes({ leaf: { entry, form }, from, to }: Piece): number {
  return form.kind === 'rows' ? 0 : byteLength(form.format, (to - from) * packedShape(form, entry.shape)[1]);
}

/** Whether a leaf lies, or is packed from, the bytes that are stored. */
function isAsStored({ entry, form }: Leaf): boolean {
  return entry.stored?.dtype === form.format;
}

/** The numbers themselves were not looked at one by one. */
function notFinite(name: string, what: 'rows' | 'elements', from: number, to: number): ReceptanceError {
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
