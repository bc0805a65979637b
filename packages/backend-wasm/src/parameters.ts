import {
  type Graph,
  type LoadOptions,
  type ParameterEntry,
  type Parameters,
  resolveParameters,
  type Sizes,
  type WeightSource,
  widenedPieces,
} from '@receptance/core';
import { DeviceObject, WasmBuffer } from './buffer.ts';
import type { Block, LinearMemory } from './memory.ts';

/** A model's leaves in memory: all f32 (i32 where declared so), row-major. */
export class WasmParameters extends DeviceObject implements Parameters {
  readonly leaves: ReadonlyMap<string, Leaf>;
  readonly variables: ReadonlyMap<string, WasmBuffer>;
  readonly limits: Sizes;
  readonly #memory: LinearMemory;

  constructor(device: object, memory: LinearMemory, leaves: ReadonlyMap<string, Leaf>, limits: Sizes) {
    super(device);
    this.#memory = memory;
    this.leaves = leaves;
    this.limits = limits;
    const variables = [...leaves].flatMap(([name, { entry, block }]): [string, WasmBuffer][] =>
      entry.kind === 'variable' ? [[name, new WasmBuffer(device, dtypeOf(entry), entry.elements, block, true)]] : [],
    );
    this.variables = new Map(variables);
  }

  get bytes(): number {
    return [...this.leaves.values()].reduce((sum, { block }) => sum + block.bytes, 0);
  }

  free(): void {
    if (this.freed) return;
    this.freed = true;
    for (const buffer of this.variables.values()) buffer.freed = true;
    for (const { block } of this.leaves.values()) this.#memory.free(block);
  }
}

interface Leaf {
  readonly entry: ParameterEntry;
  readonly block: Block;
}

function dtypeOf({ value }: ParameterEntry): 'f32' | 'i32' {
  return value.dtype === 'i32' ? 'i32' : 'f32';
}

async function fill(
  memory: LinearMemory,
  address: number,
  source: WeightSource,
  entry: ParameterEntry,
  signal: LoadOptions['signal'],
): Promise<void> {
  for await (const { offset, data } of widenedPieces(source, entry.name, dtypeOf(entry), signal)) {
    // A new view for every piece: memory may have grown while the source was waited for.
    memory.numbers(dtypeOf(entry), address + offset * 4, data.length).set(data);
  }
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
  const blocks = memory.allocateAll(entries.map(({ elements }) => elements * 4));
  const leaves = new Map<string, Leaf>();
  entries.forEach((entry, i) => {
    const block = blocks[i];
    if (block !== undefined) leaves.set(entry.name, { entry, block });
  });
  try {
    const total = entries.reduce((sum, { elements }) => sum + elements * 4, 0);
    let done = 0;
    for (const { entry, block } of leaves.values()) {
      onProgress?.({ what: 'loading weights', done, total });
      if (entry.stored === undefined) memory.words(block.address, entry.elements).fill(0);
      else await fill(memory, block.address, source, entry, signal);
      done += entry.elements * 4;
    }
    onProgress?.({ what: 'loading weights', done, total });
  } catch (error) {
    for (const block of blocks) memory.free(block);
    throw error;
  }
  return new WasmParameters(device, memory, leaves, limits);
}
