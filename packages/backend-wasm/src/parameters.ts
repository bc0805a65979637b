import {
  BLOCKS,
  type Graph,
  type Loaded,
  type LoadOptions,
  type ParameterEntry,
  type Parameters,
  ReceptanceError,
  resolveParameters,
  type WeightSource,
} from '@receptance/core';
import { DeviceObject, WasmBuffer } from './buffer.ts';
import type { ChoreHost } from './chore.ts';
import { chooseForms, type Form, formBytes, isTransposed, ROWS } from './forms.ts';
import { BlockGroup } from './memory.ts';
import { batchesOf, type Leaf, Placer } from './pack.ts';
import { readAhead } from './read-ahead.ts';

/** A model's leaves in memory: matrices as `linear` and `gather` read them (see `Form`), the rest f32 and i32 row by row. */
export class WasmParameters extends DeviceObject implements Parameters {
  readonly bytes: number;
  readonly variables: ReadonlyMap<string, WasmBuffer>;
  readonly loaded: Loaded;
  readonly #leaves: ReadonlyMap<string, Leaf>;
  readonly #release: () => void;

  constructor(host: ParametersHost, leaves: ReadonlyMap<string, Leaf>, blocks: BlockGroup, loaded: Loaded) {
    super(host.device);
    this.#leaves = leaves;
    this.#release = () => host.release(blocks);
    this.bytes = blocks.bytes;
    this.loaded = loaded;
    const variables = [...leaves].flatMap(([name, { entry, block }]): [string, WasmBuffer][] =>
      entry.kind === 'variable'
        ? [[name, new WasmBuffer(host.device, dtypeOf(entry), entry.elements, block, true)]]
        : [],
    );
    this.variables = new Map(variables);
  }

  /** Where a leaf lies, and how. */
  place(name: string): { readonly address: number; readonly form: Form } | undefined {
    const leaf = this.#leaves.get(name);
    return leaf && { address: leaf.block.address, form: leaf.form };
  }

  free(): void {
    if (this.freed) return;
    this.freed = true;
    for (const buffer of this.variables.values()) buffer.freed = true;
    this.#release();
  }
}

/** The part of a device that loading needs. */
export interface ParametersHost extends ChoreHost {
  readonly device: object;
  /** Frees blocks once nothing that is under way needs them. */
  release(blocks: BlockGroup): void;
}

/**
 * Reads the leaves of all `uses`, whose composites are decomposed. Types that no kernel reads are widened, which is exact.
 * @throws ReceptanceError `OUT_OF_MEMORY`, `NOT_FINITE`, and what `resolveParameters` throws; nothing is kept then
 */
export async function loadParameters(
  host: ParametersHost,
  source: WeightSource,
  uses: readonly Graph[],
  { limits = {}, signal, onProgress }: LoadOptions,
): Promise<WasmParameters> {
  const entries = resolveParameters(source, uses, limits);
  const forms = chooseForms(entries, uses);
  const formOf = ({ name }: ParameterEntry): Form => forms.get(name) ?? ROWS;
  const total = entries.reduce((sum, entry) => sum + formBytes(formOf(entry), entry.shape), 0);
  if (total > host.memory.most) throw tooLarge(entries, total, host.memory.most);
  const blocks = new BlockGroup(host.memory);
  const newLeaf = (entry: ParameterEntry, form: Form): Leaf => {
    const bytes = formBytes(form, entry.shape);
    return { entry, form, block: entry.stored === undefined ? blocks.allocateZeroed(bytes) : blocks.allocate(bytes) };
  };
  try {
    const leaves = entries.map((entry) => newLeaf(entry, formOf(entry)));
    const loading = { host, source, signal, onProgress };
    const refused = await fill(leaves, loading);
    const widened = [...refused].map(({ entry, form, block }) => {
      blocks.release(block);
      return newLeaf(entry, form.kind === 'rows' || isTransposed(form) ? ROWS : { ...form, format: 'f32' });
    });
    await fill(widened, loading);
    const kept = [...leaves.filter((leaf) => !refused.has(leaf)), ...widened];
    const byName = new Map(kept.map((leaf) => [leaf.entry.name, leaf]));
    return new WasmParameters(host, byName, blocks, { entries, limits });
  } catch (error) {
    host.release(blocks);
    throw error;
  }
}

interface Loading {
  readonly host: ParametersHost;
  readonly source: WeightSource;
  readonly signal: LoadOptions['signal'];
  readonly onProgress: LoadOptions['onProgress'];
}

/** Loads leaves. Gives back those with numbers that their form does not hold: they are not whole. */
async function fill(leaves: readonly Leaf[], { host, source, signal, onProgress }: Loading): Promise<Set<Leaf>> {
  const refused = new Set<Leaf>();
  if (leaves.length === 0) return refused;
  const total = leaves.reduce((sum, { entry }) => sum + (entry.stored?.bytes ?? 0), 0);
  const batches = batchesOf(leaves, host.memory);
  const placer = new Placer(host, batches);
  try {
    let done = 0;
    for await (const reads of readAhead(source, batches, (piece, turn) => placer.roomFor(piece, turn), signal)) {
      onProgress?.({ what: 'loading weights', done, total });
      for (const leaf of await placer.place(reads.filter(({ piece }) => !refused.has(piece.leaf)))) refused.add(leaf);
      done += reads.reduce((sum, { bytes }) => sum + bytes.byteLength, 0);
    }
    onProgress?.({ what: 'loading weights', done, total });
    return refused;
  } finally {
    placer.free();
  }
}

function dtypeOf({ value }: ParameterEntry): 'f32' | 'i32' {
  return value.dtype === 'i32' ? 'i32' : 'f32';
}

/** Before anything is read: what is needed, and which weights would fit. */
function tooLarge(entries: readonly ParameterEntry[], total: number, most: number): ReceptanceError {
  const gigabytes = (bytes: number): string => `${(bytes / 2 ** 30).toFixed(1)} GiB`;
  const matrices = entries.filter(({ kind, shape }) => kind === 'parameter' && shape.length === 2);
  const elements = matrices.reduce((sum, entry) => sum + entry.elements, 0);
  const present = matrices.reduce((sum, { stored }) => sum + (stored?.bytes ?? 0), 0);
  const fitting = (['f16', 'q8_0', 'q4_0'] as const).find((dtype) => {
    const bytes = (elements * BLOCKS[dtype].bytes) / BLOCKS[dtype].elements;
    return bytes < present && total - present + bytes <= most;
  });
  const smaller = fitting === undefined ? [] : [`load it with { weights: '${fitting}' }`];
  return new ReceptanceError(
    'OUT_OF_MEMORY',
    `the weights take ${gigabytes(total)} as they are stored, a device’s memory holds ${gigabytes(most)} at most`,
    { hint: [...smaller, 'open the backend with { memory64: true }, or take a smaller model'].join(', ') },
  );
}
