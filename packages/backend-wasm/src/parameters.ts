import {
  BLOCKS,
  type Graph,
  type Loaded,
  type LoadOptions,
  type Node,
  type ParameterEntry,
  type Parameters,
  ReceptanceError,
  resolveParameters,
  type WeightSource,
  widenedPieces,
} from '@receptance/core';
import { DeviceObject, WasmBuffer } from './buffer.ts';
import { chooseForms, type Form, formBytes, ROWS } from './forms.ts';
import { type Block, BlockGroup, type LinearMemory } from './memory.ts';
import type { Crate } from './module.ts';
import { notFinite, packMatrix } from './pack.ts';

/** A leaf and where it lies. */
interface Leaf {
  readonly entry: ParameterEntry;
  readonly form: Form;
  readonly block: Block;
}

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

/** Bytes that are read at a time. */
const PIECE_BYTES = 4 << 20;

/** The part of a device that loading needs. */
export interface ParametersHost {
  readonly device: object;
  readonly memory: LinearMemory;
  readonly crate: Crate;
  supports(node: Node): boolean;
  /** Frees blocks once nothing that is under way needs them. */
  release(blocks: BlockGroup): void;
}

function dtypeOf({ value }: ParameterEntry): 'f32' | 'i32' {
  return value.dtype === 'i32' ? 'i32' : 'f32';
}

/**
 * Reads the leaves of all `uses`. Types that no kernel reads are widened, which is exact.
 * @throws ReceptanceError `OUT_OF_MEMORY`, and what `resolveParameters` and `widenedPieces` throw; nothing is kept then
 */
export async function loadParameters(
  host: ParametersHost,
  source: WeightSource,
  uses: readonly Graph[],
  { limits = {}, signal, onProgress }: LoadOptions,
): Promise<WasmParameters> {
  const entries = resolveParameters(source, uses, limits);
  const forms = chooseForms(entries, uses, host.supports);
  const total = entries.reduce((sum, entry) => sum + formBytes(forms.get(entry.name) ?? ROWS, entry.shape), 0);
  if (total > host.memory.most) throw tooLarge(entries, total, host.memory.most);
  const blocks = new BlockGroup(host.memory);
  try {
    const leaves = new Map<string, Leaf>();
    let done = 0;
    for (const entry of entries) {
      onProgress?.({ what: 'loading weights', done, total });
      const form = forms.get(entry.name) ?? ROWS;
      leaves.set(entry.name, await loadLeaf({ host, source, signal, blocks }, entry, form));
      done += formBytes(form, entry.shape);
    }
    onProgress?.({ what: 'loading weights', done, total });
    return new WasmParameters(host, leaves, blocks, { entries, limits });
  } catch (error) {
    blocks.free();
    throw error;
  }
}

interface Loading {
  readonly host: ParametersHost;
  readonly source: WeightSource;
  readonly signal: LoadOptions['signal'];
  readonly blocks: BlockGroup;
}

async function loadLeaf(loading: Loading, entry: ParameterEntry, form: Form): Promise<Leaf> {
  const { host, source, signal, blocks } = loading;
  const { name, shape, stored } = entry;
  const block = blocks.allocate(formBytes(form, shape));
  if (stored === undefined) host.memory.bytes(block.address, block.bytes).fill(0);
  else if (form.kind === 'packed') {
    const read = (start: number, end: number): Promise<Uint8Array> => {
      signal?.throwIfAborted();
      return source.read(name, { start, end }, signal);
    };
    const packing = { name, dtype: stored.dtype, shape, form, read };
    if (!(await packMatrix(host.crate, host.memory, block.address, packing))) {
      blocks.release(block);
      return loadLeaf(loading, entry, form.transposed ? ROWS : { ...form, format: 'f32' });
    }
  } else if (form.format === 'f32') await fillWidened(host.memory, entry, block, source, signal);
  else await fillStored(host.memory, entry, block, source, signal);
  return { entry, form, block };
}

async function fillWidened(
  memory: LinearMemory,
  entry: ParameterEntry,
  block: Block,
  source: WeightSource,
  signal: LoadOptions['signal'],
): Promise<void> {
  for await (const { offset, data } of widenedPieces(source, entry.name, dtypeOf(entry), signal)) {
    // A new view for every piece: memory may have grown while the source was waited for.
    memory.numbers(dtypeOf(entry), block.address + offset * 4, data.length).set(data);
  }
}

/** A table as it is stored. */
async function fillStored(
  memory: LinearMemory,
  entry: ParameterEntry,
  block: Block,
  source: WeightSource,
  signal: LoadOptions['signal'],
): Promise<void> {
  const { name, stored } = entry;
  if (stored === undefined) return;
  for (let start = 0; start < stored.bytes; start += PIECE_BYTES) {
    signal?.throwIfAborted();
    const end = Math.min(stored.bytes, start + PIECE_BYTES);
    memory.bytes(block.address + start, end - start).set(await source.read(name, { start, end }, signal));
  }
  const numbers = memory.halves(block.address, stored.bytes / 2);
  // Of a block, the scale it begins with is what may not be finite.
  const step = BLOCKS[stored.dtype].bytes / 2;
  const exponent = stored.dtype === 'bf16' ? 0x7f80 : 0x7c00;
  for (let at = 0; at < numbers.length; at += step) {
    if (((numbers[at] ?? 0) & exponent) !== exponent) continue;
    const element = (at / step) * BLOCKS[stored.dtype].elements;
    throw notFinite(name, `from element ${element} on`);
  }
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
