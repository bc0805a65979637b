import type { Tensor } from '../proto/model.ts';
import type { Block, Ref } from './block.ts';
import type { Target } from './lowering.ts';
import { BLOCK_SIZE, type DataFile, type Range, type StoredTensor } from './stored.ts';

type StoredPlain = Extract<StoredTensor, { readonly kind: 'plain' }>;
type StoredBlocks = Extract<StoredTensor, { readonly kind: 'blocks' }>;

/**
 * A matrix whose sides are all shorter, a row less than a page, lies in short runs either way: a product of one row reads these a quarter
 * slower than memory gives them, and a tenth faster once they are packed.
 */
const LONG_SIDE = 1024;

/** A matrix, or where it is turned its transpose. */
export interface Matrix {
  readonly ref: Ref;
  readonly turned: boolean;
}

/** A weight in blocks, as tensors of the graph; they are there once they are asked for. */
export interface WeightBlocks {
  readonly bits: 4 | 8;
  readonly signed: boolean;
  readonly shape: readonly [rows: number, columns: number];
  /** The same weight as ranges of its rows, one after the other, which begin at multiples of `rows`. */
  parts(rows: number): readonly WeightBlocks[];
  /** uint8 [rows, columns / 32, 32 · bits / 8]; of signed ones int8 [rows, columns / 32, 32], or int4 [rows, columns]. */
  data(): Ref;
  /** f32 [rows, columns / 32]. */
  scales(): Ref;
}

/**
 * The parameters of a model as initializers, whose bytes stay in the data file. They belong to the outermost graph: those of a loop's
 * body stay mapped beside what ONNX Runtime packs of them.
 */
export class Weights {
  readonly #file: DataFile;
  readonly #main: Block;
  readonly #target: Target;
  readonly #refs = new Map<string, Ref>();
  readonly #initializers = new Map<string, Ref>();

  constructor(file: DataFile, main: Block, target: Target) {
    this.#file = file;
    this.#main = main;
    this.#target = target;
  }

  /** As f32, or i32: dequantised where it is stored in blocks. */
  ref(name: string, block: Block): Ref {
    const known = this.#refs.get(name);
    if (known !== undefined) return known;
    const stored = this.#stored(name);
    const made = stored.kind === 'plain' ? this.#upright(name, stored, block) : this.#widened(name, stored, block);
    this.#refs.set(name, made);
    return made;
  }

  /** A matrix as it lies in the file, which spares it being turned. */
  matrix(name: string, block: Block): Matrix {
    const stored = this.#stored(name);
    if (stored.kind !== 'plain') return { ref: this.ref(name, block), turned: false };
    const isPacked = this.#target.form === 'single' && Math.max(...stored.shape) < LONG_SIDE;
    return { ref: this.#plain(name, stored, block, isPacked), turned: stored.turned };
  }

  /** The blocks of a weight that is stored in them. */
  blocks(name: string): WeightBlocks | undefined {
    const stored = this.#stored(name);
    return stored.kind === 'plain' ? undefined : this.#blocks(name, stored);
  }

  #stored(name: string): StoredTensor {
    const stored = this.#file.tensors.get(name);
    if (stored === undefined) throw new Error(`parameter ${name} is not in the data file`);
    return stored;
  }

  #upright(name: string, stored: StoredPlain, block: Block): Ref {
    const ref = this.#plain(name, stored, block);
    return stored.turned ? block.op('Transpose', [ref], {}, { first: true }) : ref;
  }

  /**
   * On a CPU a matrix is used where it is mapped, by all sessions, unless it is `packed`: laid out anew by the session. ONNX Runtime packs
   * whatever no run can give.
   */
  #plain(name: string, { type, shape, turned, data }: StoredPlain, block: Block, packed = false): Ref {
    const overridable = this.#target.provider === 'cpu' && type === 'float32' && shape.length > 1 && !packed;
    const ref = this.#initializer(name, { type, dims: turned ? shape.toReversed() : shape, overridable }, data);
    return type === 'float32' || type === 'int32' ? ref : block.op('Cast', [ref], { to: { int: 1 } }, { first: true });
  }

  #blocks(name: string, { bits, signed, shape, data, scales }: Omit<StoredBlocks, 'kind'>): WeightBlocks {
    const [rows, columns] = shape;
    const count = columns / BLOCK_SIZE;
    const unsigned = { type: 'uint8', dims: [rows, count, (BLOCK_SIZE * bits) / 8] } as const;
    const asSigned =
      bits === 8
        ? ({ type: 'int8', dims: [rows, count, BLOCK_SIZE] } as const)
        : ({ type: 'int4', dims: [rows, columns] } as const);
    return {
      ...{ bits, signed, shape },
      parts: (most) =>
        Array.from({ length: Math.ceil(rows / most) }, (_, i): WeightBlocks => {
          const [first, own] = [i * most, Math.min(most, rows - i * most)];
          if (own === rows) return this.#blocks(name, { bits, signed, shape, data, scales });
          const part = ({ offset, length }: Range): Range => ({
            offset: offset + (length / rows) * first,
            length: (length / rows) * own,
          });
          const ranges = { data: part(data), scales: part(scales) };
          return this.#blocks(`${name}.${i}`, { bits, signed, shape: [own, columns], ...ranges });
        }),
      data: () => this.#initializer(name, signed ? asSigned : unsigned, data),
      scales: () => this.#initializer(`${name}.scales`, { type: 'float32', dims: [rows, count] }, scales),
    };
  }

  /** By `DequantizeLinear`, which ONNX Runtime leaves to be computed: anything else it would widen for good when it loads. */
  #widened(name: string, stored: StoredBlocks, block: Block): Ref {
    const { shape, signed, bits, data } = stored;
    const blocks = this.#blocks(name, stored);
    const attributes = { axis: { int: 1 }, block_size: { int: BLOCK_SIZE } };
    if (signed) {
      const numbers =
        bits === 8 ? block.op('Reshape', [blocks.data(), block.ints(shape)], {}, { first: true }) : blocks.data();
      return block.op('DequantizeLinear', [numbers, blocks.scales()], attributes, { first: true });
    }
    const type = bits === 8 ? 'uint8' : 'uint4';
    const numbers = this.#initializer(`${name}.numbers`, { type, dims: shape }, data);
    const operands = [numbers, blocks.scales(), this.#middle(type, stored)];
    return block.op('DequantizeLinear', operands, attributes, { first: true });
  }

  #middle(type: 'uint8' | 'uint4', { bits, shape: [rows, columns] }: StoredBlocks): Ref {
    const dims = [rows, columns / BLOCK_SIZE];
    const { offset = 0 } = this.#file.middles.get(bits) ?? {};
    const length = Math.ceil((rows * columns * bits) / 8 / BLOCK_SIZE);
    return this.#initializer(`middles ${type} ${dims.join('x')}`, { type, dims }, { offset, length });
  }

  /** A range of the file as a tensor, made once. */
  #initializer(name: string, as: Omit<Tensor, 'name' | 'data'>, range: Range): Ref {
    const known = this.#initializers.get(name);
    if (known !== undefined) return known;
    const data = { file: this.#file.file, ...range };
    const made = this.#main.initializer({ name: this.#main.names.fresh(name), ...as, data });
    this.#initializers.set(name, made);
    return made;
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
