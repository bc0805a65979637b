import {
  BLOCKS,
  type DType,
  type Graph,
  type Node,
  type ParameterEntry,
  type ParameterUse,
  parameterUses,
} from '@receptance/core';

/** The types that kernels read as they are stored. */
export type Format = 'f32' | 'f16' | 'bf16' | 'q8_0' | 'q4_0';

/** How a type is packed: its number in the crate, the columns of a block, and the bytes of a block of four rows. */
export interface PackedFormat {
  readonly number: number;
  readonly block: number;
  readonly groupBytes: number;
}

export const FORMATS: Readonly<Record<Format, PackedFormat>> = {
  f32: { number: 0, block: 4, groupBytes: 64 },
  f16: { number: 1, block: 8, groupBytes: 64 },
  bf16: { number: 2, block: 8, groupBytes: 64 },
  q8_0: { number: 3, block: 32, groupBytes: 136 },
  q4_0: { number: 4, block: 32, groupBytes: 72 },
};

/** Rows that are packed together. */
export const GROUP = 4;
/** Rows that lie side by side in a column, and columns that have scales of their own (`columns::RUN` of the crate). */
export const RUN = 32;

/**
 * How a leaf lies in memory.
 * - `rows`: row by row. What is not f32 is a table that only `gather` reads.
 * - `packed`: as `linear` reads it (`packed` of the crate). `transposed`: the rows are the columns of what is stored.
 * - `columns`: as `linear` reads it where its x has many zeros, for it passes over their columns (`packed::columns`).
 */
export type Form =
  | { readonly kind: 'rows'; readonly format: Format }
  | { readonly kind: 'packed'; readonly format: Format; readonly transposed: boolean }
  | { readonly kind: 'columns'; readonly format: Format };

export const ROWS: Form = { kind: 'rows', format: 'f32' };

type Use = 'linear' | 'linearSparse' | 'linearTransposed' | 'table' | 'other';

/** A matrix of this many bytes is not transposed while it is loaded: it would be held twice. */
const MOST_TRANSPOSED = 32 << 20;

/** Chooses the form of every leaf from how all graphs that share it use it, as a device runs them. */
export function chooseForms(entries: readonly ParameterEntry[], uses: readonly Graph[]): ReadonlyMap<string, Form> {
  const found = new Map<string, Set<Use>>();
  for (const graph of uses) collectUses(graph, found);
  return new Map(entries.map((entry) => [entry.name, formOf(entry, found.get(entry.name) ?? new Set())]));
}

function collectUses(graph: Graph, found: Map<string, Set<Use>>): void {
  const sparse = sparseValues(graph);
  for (const [name, uses] of parameterUses(graph)) {
    const own = found.get(name) ?? new Set();
    found.set(name, own);
    for (const use of uses) own.add(useOf(use, sparse));
  }
}

/** Values of many zeros. */
function sparseValues({ nodes }: Graph): ReadonlySet<number> {
  const found = new Set<number>();
  for (const node of nodes) {
    const y = node.outputs['y'];
    if (y !== undefined && isSparse(node, found)) found.add(y.id);
  }
  return found;
}

/** Whether a node gives many zeros: relu does, and so does what is zero where such a value is. */
function isSparse({ op, attrs, inputs }: Node, known: ReadonlySet<number>): boolean {
  if (op === 'unary') return attrs['fn'] === 'relu';
  return (
    (op === 'reshape' || (op === 'binary' && attrs['fn'] === 'mul')) &&
    Object.values(inputs).some(({ id }) => known.has(id))
  );
}

function useOf({ node, name }: ParameterUse, sparse: ReadonlySet<number>): Use {
  if (node?.op === 'linear' && name === 'w') {
    if (node.attrs['transposed'] === true) return 'linearTransposed';
    return sparse.has(node.inputs['x']?.id ?? -1) ? 'linearSparse' : 'linear';
  }
  return node?.op === 'gather' && name === 'table' ? 'table' : 'other';
}

function formOf({ kind, shape, stored }: ParameterEntry, uses: ReadonlySet<Use>): Form {
  const [only] = uses;
  if (kind === 'variable' || stored === undefined || uses.size !== 1 || shape.length !== 2) return ROWS;
  const format = formatFor(stored.dtype);
  switch (only) {
    case 'linear':
      return { kind: 'packed', format, transposed: false };
    case 'linearSparse':
      return { kind: 'columns', format };
    case 'linearTransposed':
      // Blocks run along the rows that are stored.
      if (BLOCKS[format].elements > 1 || format !== narrowest(stored.dtype) || stored.bytes > MOST_TRANSPOSED)
        return ROWS;
      return { kind: 'packed', format, transposed: true };
    case 'table':
      return { kind: 'rows', format: format === narrowest(stored.dtype) ? format : 'f32' };
    default:
      return ROWS;
  }
}

/** The type that holds all numbers of another exactly, and that kernels read; f32 where there is no narrower one. */
function formatFor(dtype: DType): Format {
  if (dtype === 'q5_0') return 'q8_0';
  return narrowest(dtype) ?? 'f32';
}

/** The type itself, where kernels read it. */
function narrowest(dtype: DType): Format | undefined {
  return Object.hasOwn(FORMATS, dtype) ? (dtype as Format) : undefined;
}

/** Bytes that a leaf takes. */
export function formBytes(form: Form, shape: readonly number[]): number {
  const elements = shape.reduce((product, size) => product * size, 1);
  if (form.kind === 'rows') return rowBytes(form.format, elements);
  const [outer, inner] = packedShape(form, shape);
  if (form.kind === 'packed') return Math.ceil(outer / GROUP) * groupBytes(form.format, inner);
  return Math.ceil(outer / RUN) * Math.ceil(inner / RUN) * rowBytes(form.format, RUN * RUN);
}

/** A form that `linear` reads. */
export type MatrixForm = Exclude<Form, { readonly kind: 'rows' }>;

/** Whether the rows of a form are the columns of what is stored. */
export function isTransposed(form: Form): boolean {
  return form.kind === 'packed' && form.transposed;
}

/** Rows and columns as they are packed. */
export function packedShape(
  form: MatrixForm,
  [rows = 1, columns = 1]: readonly number[],
): readonly [outer: number, inner: number] {
  return isTransposed(form) ? [columns, rows] : [rows, columns];
}

/** Bytes of a group of packed rows. */
export function groupBytes(format: Format, inner: number): number {
  return Math.ceil(inner / FORMATS[format].block) * FORMATS[format].groupBytes;
}

function rowBytes(format: Format, elements: number): number {
  const { block, groupBytes } = FORMATS[format];
  return (elements / block) * (groupBytes / GROUP);
}
