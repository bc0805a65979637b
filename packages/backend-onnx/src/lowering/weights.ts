import type { Block, Ref } from './block.ts';
import { BLOCK_SIZE, type DataFile, type StoredTensor } from './stored.ts';

type StoredBlocks = Extract<StoredTensor, { readonly kind: 'blocks' }>;

/** A weight in blocks, as tensors of the graph. */
export interface WeightBlocks {
  readonly bits: 4 | 8;
  readonly signed: boolean;
  readonly shape: readonly [rows: number, columns: number];
  /** uint8 [rows, columns / 32, 32 · bits / 8]; of signed ones int8 [rows, columns / 32, 32], or int4 [rows, columns]. */
  readonly data: Ref;
  /** f32 [rows, columns / 32]. */
  readonly scales: Ref;
}

/** The parameters of a model as initializers, whose bytes stay in the data file. */
export class Weights {
  readonly #file: DataFile;
  readonly #refs = new Map<string, Ref>();
  readonly #blocks = new Map<string, WeightBlocks>();

  constructor(file: DataFile) {
    this.#file = file;
  }

  /** As f32, or i32: dequantised where it is stored in blocks. */
  ref(name: string, block: Block): Ref {
    const known = this.#refs.get(name);
    if (known !== undefined) return known;
    const stored = this.#stored(name);
    const made = stored.kind === 'plain' ? this.#plain(name, stored, block) : this.#widened(name, block);
    this.#refs.set(name, made);
    return made;
  }

  /** The blocks of a weight that is stored in them. */
  blocks(name: string, block: Block): WeightBlocks | undefined {
    const stored = this.#stored(name);
    if (stored.kind === 'plain') return undefined;
    const known = this.#blocks.get(name);
    if (known !== undefined) return known;
    const made = this.#makeBlocks(name, stored, block);
    this.#blocks.set(name, made);
    return made;
  }

  #stored(name: string): StoredTensor {
    const stored = this.#file.tensors.get(name);
    if (stored === undefined) throw new Error(`parameter ${name} is not in the data file`);
    return stored;
  }

  #plain(name: string, { type, shape, data }: Extract<StoredTensor, { kind: 'plain' }>, block: Block): Ref {
    const ref = block.initializer({
      name: block.names.fresh(name),
      ...{ type, dims: shape, data: { file: this.#file.file, ...data } },
    });
    return type === 'float32' || type === 'int32' ? ref : block.op('Cast', [ref], { to: { int: 1 } });
  }

  #makeBlocks(name: string, { bits, signed, shape, data, scales }: StoredBlocks, block: Block): WeightBlocks {
    const { file } = this.#file;
    const [rows, columns] = shape;
    const count = columns / BLOCK_SIZE;
    const unsigned = { type: 'uint8', dims: [rows, count, (BLOCK_SIZE * bits) / 8] } as const;
    const asSigned =
      bits === 8
        ? ({ type: 'int8', dims: [rows, count, BLOCK_SIZE] } as const)
        : ({ type: 'int4', dims: [rows, columns] } as const);
    return {
      ...{ bits, signed, shape },
      data: block.initializer({
        name: block.names.fresh(name),
        ...(signed ? asSigned : unsigned),
        data: { file, ...data },
      }),
      scales: block.initializer({
        name: block.names.fresh(`${name}.scales`),
        ...{ type: 'float32', dims: [rows, count], data: { file, ...scales } },
      }),
    };
  }

  #widened(name: string, block: Block): Ref {
    const blocks = this.blocks(name, block);
    if (blocks === undefined) throw new Error(`${name} is not stored in blocks`);
    const { shape, scales, signed, bits } = blocks;
    if (signed) {
      const data = bits === 8 ? block.op('Reshape', [blocks.data, block.ints(shape)]) : blocks.data;
      const attributes = { axis: { int: 1 }, block_size: { int: BLOCK_SIZE } };
      return block.op('DequantizeLinear', [data, scales], attributes);
    }
    const numbers = widenNumbers(blocks.data, bits, block);
    const scaled = block.op('Mul', [numbers, block.op('Unsqueeze', [scales, block.ints([2])])]);
    return block.op('Reshape', [scaled, block.ints(shape)]);
  }
}

/** Unsigned numbers [n, blocks, 32 · bits / 8] as f32 [n, blocks, 32] about 0. */
export function widenNumbers(data: Ref, bits: 4 | 8, block: Block): Ref {
  const numbers = bits === 8 ? data : halves(data, block);
  const wide = block.op('Cast', [numbers], { to: { int: 1 } });
  return block.op('Sub', [wide, block.floats([2 ** (bits - 1)])]);
}

/** uint8 [n, blocks, 16] of two numbers a byte, the lower bits first, as int32 [n, blocks, 32]. */
function halves(bytes: Ref, block: Block): Ref {
  const wide = block.op('Cast', [bytes], { to: { int: 6 } });
  const sixteen = block.ints32([16]);
  const high = block.op('Div', [wide, sixteen]);
  const low = block.op('Sub', [wide, block.op('Mul', [high, sixteen])]);
  const axis = block.ints([3]);
  const pairs = block.op('Concat', [block.op('Unsqueeze', [low, axis]), block.op('Unsqueeze', [high, axis])], {
    axis: { int: 3 },
  });
  return block.op('Reshape', [pairs, block.ints([0, 0, BLOCK_SIZE])]);
}
