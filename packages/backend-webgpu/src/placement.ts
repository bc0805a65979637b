import {
  decompose,
  type Graph,
  type ParameterEntry,
  type ParameterUse,
  parameterUses,
  ReceptanceError,
} from '@receptance/core';
import { type Format, formatOf, numberBytes, PER_CHUNK, scaleBytes } from './weight.ts';

/** Where tensors begin: what every adapter accepts as the offset of a binding. */
const ALIGNMENT = 256;
/** A tensor outside the blocks that has memory of its own: the embedding and the head of most models. */
const LARGE_BYTES = 16 << 20;
/** The largest matrix that is turned when it is loaded, for which the host holds it whole. */
const MOST_TURNED = 64 << 20;

/** How a matrix is read: rows that it is multiplied with lie along its columns (`linear`) or its rows (`transposed`). */
export type Use = 'linear' | 'transposed' | 'rows' | 'other';

/** Where one part of a tensor goes. */
export interface PlacedPart {
  readonly arena: number;
  /** Bytes. */
  readonly at: number;
  readonly firstRow: number;
  readonly rows: number;
}

export interface PlacedTensor {
  readonly entry: ParameterEntry;
  readonly format: Format;
  readonly flipped: boolean;
  readonly rows: number;
  readonly columns: number;
  readonly parts: readonly PlacedPart[];
}

/** A piece of GPU memory that tensors share. */
export interface Arena {
  readonly label: string;
  readonly bytes: number;
}

export interface Placements {
  readonly tensors: readonly PlacedTensor[];
  readonly arenas: readonly Arena[];
}

/** How each parameter is read in the primitives of all graphs. */
export function usesOf(graphs: readonly Graph[]): ReadonlyMap<string, ReadonlySet<Use>> {
  const found = new Map<string, Set<Use>>();
  for (const graph of graphs) {
    for (const [name, uses] of parameterUses(decompose(graph, () => false))) {
      found.set(name, new Set([...(found.get(name) ?? []), ...uses.map(useOf)]));
    }
  }
  return found;
}

function useOf({ node, name }: ParameterUse): Use {
  if (node?.op === 'linear' && name === 'w') return node.attrs['transposed'] === true ? 'transposed' : 'linear';
  return node?.op === 'gather' && name === 'table' ? 'rows' : 'other';
}

/**
 * Gives every parameter its format and its place. Those of one block lie together as far as one binding holds them, so
 * that a shader sees many of them through one; a matrix larger than a binding is split by rows.
 * @param most bytes of one binding
 * @throws ReceptanceError `TENSOR_TOO_LARGE`
 */
export function place(
  entries: readonly ParameterEntry[],
  uses: ReadonlyMap<string, ReadonlySet<Use>>,
  most: number,
): Placements {
  const arenas: { label: string; bytes: number }[] = [];
  const open = new Map<string, number>();
  const reserve = (group: string, name: string, bytes: number): { arena: number; at: number } => {
    const known = open.get(group);
    const arena = known === undefined ? undefined : arenas[known];
    if (known !== undefined && arena !== undefined) {
      const at = Math.ceil(arena.bytes / ALIGNMENT) * ALIGNMENT;
      if (at + bytes <= most) {
        arena.bytes = at + bytes;
        return { arena: known, at };
      }
    }
    open.set(group, arenas.length);
    return { arena: arenas.push({ label: `the weights from ${name} on`, bytes }) - 1, at: 0 };
  };
  const tensors = entries.map((entry): PlacedTensor => {
    const form = formOf(entry, uses.get(entry.name) ?? new Set());
    const { format, rows, columns } = form;
    const bytes = (count: number): number => Math.max(16, sizeOf(format, count, columns));
    const group = groupOf(entry.name, bytes(rows));
    const parts = rowsOfParts(entry.name, form, most, bytes).map(({ firstRow, rows: count }): PlacedPart => {
      return { ...reserve(group, entry.name, bytes(count)), firstRow, rows: count };
    });
    return { entry, ...form, parts };
  });
  return { tensors, arenas };
}

function groupOf(name: string, bytes: number): string {
  const block = /^blocks\.\d+(?=\.)/.exec(name)?.[0];
  return block ?? (bytes >= LARGE_BYTES ? name : '');
}

function sizeOf(format: Format, rows: number, columns: number): number {
  const whole = numberBytes(format, rows, columns) + scaleBytes(format, rows, columns);
  return Math.ceil(whole / 16) * 16;
}

interface Form {
  readonly format: Format;
  readonly flipped: boolean;
  readonly rows: number;
  readonly columns: number;
  readonly splits: boolean;
}

/** Only what is never seen but through `linear` and `gather` may lie in another way than row-major f32. */
function formOf({ value, shape, elements }: ParameterEntry, uses: ReadonlySet<Use>): Form {
  const [rows, columns, ...more] = shape;
  const isMatrix = rows !== undefined && columns !== undefined && more.length === 0;
  if (!isMatrix || uses.size === 0 || uses.has('other') || value.dtype === 'i32') {
    return { format: 'f32', flipped: false, rows: 1, columns: elements, splits: false };
  }
  const flipped = uses.size === 1 && uses.has('transposed') && elements * 4 <= MOST_TURNED;
  const stored = formatOf(value.dtype);
  const alongColumns = !flipped || PER_CHUNK[stored] <= 8;
  const format = alongColumns ? stored : 'f32';
  return { format, flipped, rows: flipped ? columns : rows, columns: flipped ? rows : columns, splits: true };
}

function rowsOfParts(
  name: string,
  { rows, splits }: Form,
  most: number,
  bytes: (rows: number) => number,
): { firstRow: number; rows: number }[] {
  if (bytes(rows) <= most) return [{ firstRow: 0, rows }];
  // Even, so that the scales of a part end at a word.
  const step = Math.floor(most / (bytes(2) + 32)) * 2;
  if (!splits || step === 0) {
    throw new ReceptanceError('TENSOR_TOO_LARGE', `tensor ${name} takes ${bytes(rows)} bytes, a binding ${most}`, {
      hint: 'only matrices are split, by rows: use a smaller model, or one whose rows are shorter',
    });
  }
  const starts = Array.from({ length: Math.ceil(rows / step) }, (_, i) => i * step);
  return starts.map((firstRow) => ({ firstRow, rows: Math.min(step, rows - firstRow) }));
}
