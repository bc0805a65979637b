import {
  type Graph,
  type Loaded,
  type LoadOptions,
  type ParameterEntry,
  type Parameters,
  resolveParameters,
  type WeightSource,
  widenedPieces,
} from '@receptance/core';
import { DeviceObject, WasmBuffer } from './buffer.ts';
import { type Block, BlockGroup, type LinearMemory } from './memory.ts';

/** A leaf and where it lies. */
interface Leaf {
  readonly entry: ParameterEntry;
  readonly block: Block;
}

/** A model's leaves in memory: all f32 (i32 where declared so), row-major. */
export class WasmParameters extends DeviceObject implements Parameters {
  readonly bytes: number;
  readonly variables: ReadonlyMap<string, WasmBuffer>;
  readonly loaded: Loaded;
  readonly #leaves: ReadonlyMap<string, Leaf>;
  readonly #blocks: BlockGroup;

  constructor(device: object, leaves: ReadonlyMap<string, Leaf>, blocks: BlockGroup, loaded: Loaded) {
    super(device);
    this.#leaves = leaves;
    this.#blocks = blocks;
    this.bytes = blocks.bytes;
    this.loaded = loaded;
    const variables = [...leaves].flatMap(([name, { entry, block }]): [string, WasmBuffer][] =>
      entry.kind === 'variable' ? [[name, new WasmBuffer(device, dtypeOf(entry), entry.elements, block, true)]] : [],
    );
    this.variables = new Map(variables);
  }

  addressOf(name: string): number | undefined {
    return this.#leaves.get(name)?.block.address;
  }

  free(): void {
    if (this.freed) return;
    this.freed = true;
    for (const buffer of this.variables.values()) buffer.freed = true;
    this.#blocks.free();
  }
}

function dtypeOf({ value }: ParameterEntry): 'f32' | 'i32' {
  return value.dtype === 'i32' ? 'i32' : 'f32';
}

/**
 * Reads the leaves of all `uses`. Stored formats narrower than f32 are widened, which is exact.
 * @throws ReceptanceError `OUT_OF_MEMORY`, and what `resolveParameters` and `widenedPieces` throw; nothing is kept then
 */
export async function loadParameters(
  device: object,
  memory: LinearMemory,
  source: WeightSource,
  uses: readonly Graph[],
  { limits = {}, signal, onProgress }: LoadOptions,
): Promise<WasmParameters> {
  const entries = resolveParameters(source, uses, limits);
  const blocks = new BlockGroup(memory);
  try {
    const leaves = new Map(
      entries.map((entry): [string, Leaf] => [entry.name, { entry, block: blocks.allocate(entry.elements * 4) }]),
    );
    const total = entries.reduce((sum, { elements }) => sum + elements * 4, 0);
    let done = 0;
    for (const leaf of leaves.values()) {
      onProgress?.({ what: 'loading weights', done, total });
      await fill(memory, leaf, source, signal);
      done += leaf.entry.elements * 4;
    }
    onProgress?.({ what: 'loading weights', done, total });
    return new WasmParameters(device, leaves, blocks, { entries, limits });
  } catch (error) {
    blocks.free();
    throw error;
  }
}

async function fill(
  memory: LinearMemory,
  { entry, block }: Leaf,
  source: WeightSource,
  signal: LoadOptions['signal'],
): Promise<void> {
  if (entry.stored === undefined) {
    memory.words(block.address, entry.elements).fill(0);
    return;
  }
  for await (const { offset, data } of widenedPieces(source, entry.name, dtypeOf(entry), signal)) {
    // A new view for every piece: memory may have grown while the source was waited for.
    memory.numbers(dtypeOf(entry), block.address + offset * 4, data.length).set(data);
  }
}
