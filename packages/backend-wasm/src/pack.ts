import { BLOCKS, byteLength, checkFinite, type DType, ReceptanceError, widen } from '@receptance/core';
import { FORMATS, type Form, type Format, GROUP, groupBytes, packedShape } from './forms.ts';
import type { LinearMemory } from './memory.ts';
import type { Crate } from './module.ts';

/** Stored bytes that are packed at a time. */
const PIECE_BYTES = 4 << 20;

/** As `packed::Packing` of the crate counts. */
const TOO_LARGE = 1;
const NOT_FINITE = 2;

/** A matrix on its way from where it is stored to its packed form. */
export interface Packing {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly form: Form & { readonly kind: 'packed' };
  /** Reads stored bytes. */
  read(start: number, end: number): Promise<Uint8Array>;
}

/**
 * Packs a matrix at `address`, some rows at a time through a staging block.
 * @returns false when it has numbers that the format cannot hold as it is packed (halves of 128 and more): f32 can
 * @throws ReceptanceError `NOT_FINITE`
 */
export async function packMatrix(
  crate: Crate,
  memory: LinearMemory,
  address: number,
  packing: Packing,
): Promise<boolean> {
  const { name, dtype, form, shape } = packing;
  const [outer, inner] = packedShape(form, shape);
  const stagedBytes = byteLength(form.format, inner);
  const step = form.transposed ? outer : Math.max(1, Math.floor(PIECE_BYTES / stagedBytes / GROUP)) * GROUP;
  const staging = memory.allocate(Math.min(step, outer) * stagedBytes);
  try {
    for (let row = 0; row < outer; row += step) {
      const rows = Math.min(step, outer - row);
      const bytes = form.transposed
        ? transposed(await packing.read(0, byteLength(dtype, outer * inner)), inner, outer)
        : await packing.read(byteLength(dtype, row * inner), byteLength(dtype, (row + rows) * inner));
      memory.bytes(staging.address, rows * stagedBytes).set(recode(bytes, dtype, form.format, name, row * inner));
      const to = address + (row / GROUP) * groupBytes(form.format, inner);
      const went = crate.pack(FORMATS[form.format].number, staging.address, to, rows, inner);
      if (went === TOO_LARGE) return false;
      if (went === NOT_FINITE) throw notFinite(name, `in rows ${row} to ${row + rows - 1}`);
    }
    return true;
  } finally {
    memory.free(staging);
  }
}

/** @param where in words: the numbers themselves were not looked at one by one */
export function notFinite(name: string, where: string): ReceptanceError {
  return new ReceptanceError('NOT_FINITE', `tensor ${name} holds a number that is not finite ${where}`, {
    hint: 'the checkpoint is damaged, or its training had diverged',
  });
}

/** The same numbers in the type that is packed. */
function recode(bytes: Uint8Array, from: DType, to: Format, name: string, offset: number): Uint8Array {
  if (from === to) return bytes;
  if (from === 'q5_0' && to === 'q8_0') return q5ToQ8(bytes);
  const block = BLOCKS[from];
  const numbers = new Float32Array((bytes.byteLength / block.bytes) * block.elements);
  widen(from, bytes, numbers);
  checkFinite(name, numbers, offset);
  return new Uint8Array(numbers.buffer);
}

/** Blocks of Q5_0 (scale, fifth bits, 16 bytes of four bits) as blocks of Q8_0: the same scale, the same whole numbers. */
function q5ToQ8(bytes: Uint8Array): Uint8Array {
  const [from, to] = [BLOCKS.q5_0.bytes, BLOCKS.q8_0.bytes];
  const count = bytes.byteLength / from;
  const out = new Uint8Array(count * to);
  for (let i = 0; i < count; i++) {
    const block = bytes.subarray(i * from, (i + 1) * from);
    out.set(block.subarray(0, 2), i * to);
    for (let j = 0; j < 32; j++) {
      const four = ((block[6 + (j % 16)] ?? 0) >> (j < 16 ? 0 : 4)) & 15;
      const fifth = ((block[2 + (j >> 3)] ?? 0) >> (j & 7)) & 1;
      out[i * to + 2 + j] = (four | (fifth << 4)) - 16;
    }
  }
  return out;
}

/** A matrix of plain numbers [rows, columns] as [columns, rows]. */
function transposed(bytes: Uint8Array, rows: number, columns: number): Uint8Array {
  const size = bytes.byteLength / Math.max(1, rows * columns);
  const out = new Uint8Array(bytes.byteLength);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const [from, to] = [(row * columns + column) * size, (column * rows + row) * size];
      for (let byte = 0; byte < size; byte++) out[to + byte] = bytes[from + byte] ?? 0;
    }
  }
  return out;
}
