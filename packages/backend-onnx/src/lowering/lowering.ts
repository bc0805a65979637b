import { type Dim, type Node, type Shape, symbolsOf, type Value } from '@receptance/core';
import type { Block, Ref } from './block.ts';
import { type Sequences, sequencesOf } from './sequences.ts';
import type { Matrix, WeightBlocks } from './weights.ts';

/**
 * What a lowered graph may take for granted about the sequences of a run. `single`: each has one token; `even`: all are
 * equally long; `ragged`: nothing.
 */
export type Form = 'single' | 'even' | 'ragged';

/**
 * How the memories of RWKV-5, 6 and 7 over several tokens are lowered. `scan`: the standard's `Scan`, a step for each token;
 * `attention`: ONNX Runtime's `LinearAttention`, where sequences are equally long.
 */
export type Recurrence = 'scan' | 'attention';

/**
 * How activations meet weights in blocks on a CPU, where rows are few. `int8`: rounded to 8 bits, as llama.cpp does, which leaves an NMSE
 * of 1e-4 of logits; `exact`: split into two such numbers, within 2e-5, at 1.5 times the time.
 */
export type Activations = 'exact' | 'int8';

export interface Target {
  readonly form: Form;
  /** `any` for files, which say nothing of where they run. */
  readonly provider: 'cpu' | 'cuda' | 'webgpu' | 'any';
  /** Only ops of the ONNX standard. */
  readonly standard: boolean;
  readonly recurrence: Recurrence;
  readonly activations: Activations;
}

/** Where a lowering finds what lies outside the nodes: leaves and sizes. */
export interface Surroundings {
  /** The tensor of a leaf in a block, widened to f32 where it is stored otherwise. */
  leaf(value: Value, block: Block): Ref | undefined;
  /** A parameter as a matrix, as it lies in the data file; none of any other value. */
  matrix(value: Value, block: Block): Matrix | undefined;
  /** The blocks of a weight that is stored in them. */
  blocks(value: Value): WeightBlocks | undefined;
  /** The node that makes a value. */
  producer(value: Value): Node | undefined;
  /** The size of a symbol as int64[1]; a number when it is the same in every run. */
  symbol(symbol: string): Ref | number;
  /** How many tokens each of the sequences has that `starts` marks out, where that is the same in every run. */
  lengths(starts: Value): readonly number[] | undefined;
}

/** What kernels are given: the block they write to, and what they may ask. */
export class Lowering {
  readonly block: Block;
  readonly target: Target;
  readonly #surroundings: Surroundings;
  readonly #tensors = new Map<number, Ref>();
  readonly #made = new Map<string, Ref>();
  readonly #sequences = new Map<string, Sequences>();

  constructor(block: Block, target: Target, surroundings: Surroundings) {
    this.block = block;
    this.target = target;
    this.#surroundings = surroundings;
  }

  /** Whether there is the standard's `Scan`. */
  get hasScan(): boolean {
    return this.target.provider !== 'webgpu';
  }

  /** The tensor that a value is. */
  ref(value: Value): Ref {
    const known = this.#tensors.get(value.id) ?? this.#surroundings.leaf(value, this.block);
    if (known === undefined) throw new Error(`value ${value.id} is used before it is made`);
    this.#tensors.set(value.id, known);
    return known;
  }

  set(value: Value, ref: Ref): void {
    this.#tensors.set(value.id, ref);
  }

  /** A matrix for an op that takes it either way up. */
  matrix(value: Value): Matrix {
    return this.#surroundings.matrix(value, this.block) ?? { ref: this.ref(value), turned: false };
  }

  /** The blocks of a weight that is stored in them; none of any other value. */
  blocks(value: Value): WeightBlocks | undefined {
    return this.#surroundings.blocks(value);
  }

  /** The node that makes a value, views looked through. */
  producer(value: Value): Node | undefined {
    const node = this.#surroundings.producer(value);
    const { x } = node?.inputs ?? {};
    return node?.op === 'reshape' && x !== undefined ? this.producer(x) : node;
  }

  /** How many tokens each of the sequences has that `starts` marks out, where that is the same in every run of this model. */
  lengths(starts: Value): readonly number[] | undefined {
    return this.#surroundings.lengths(starts);
  }

  /** A dimension as a number, where it is one in every run of this model. */
  fixed(dim: Dim): number | undefined {
    if (typeof dim === 'number') return dim;
    const [symbol = ''] = symbolsOf([dim]);
    const size = this.#surroundings.symbol(symbol);
    return typeof size === 'number' ? size + Number(dim.slice(symbol.length + 1)) : undefined;
  }

  /** A dimension as int64[1]. */
  size(dim: Dim): Ref {
    const fixed = this.fixed(dim);
    if (fixed !== undefined) return this.block.ints([fixed]);
    const [symbol = ''] = symbolsOf([dim]);
    const size = this.#surroundings.symbol(symbol);
    const plus = Number(String(dim).slice(symbol.length + 1));
    if (typeof size === 'number' || plus === 0) return String(size);
    return this.once(`size ${dim}`, () => this.block.op('Add', [size, this.block.ints([plus])]));
  }

  /** A shape as an int64 vector. */
  shape(shape: Shape): Ref {
    const fixed = shape.map((dim) => this.fixed(dim));
    if (fixed.every((dim) => dim !== undefined)) return this.block.ints(fixed.map(Number));
    return this.once(`shape ${shape.join(',')}`, () =>
      this.block.op(
        'Concat',
        shape.map((dim) => this.size(dim)),
        { axis: { int: 0 } },
      ),
    );
  }

  /** One number everywhere. */
  full(value: number, shape: Shape): Ref {
    const data = new Uint8Array(Float32Array.of(value).buffer);
    const tensor = { name: '', type: 'float32', dims: [1], data } as const;
    return this.block.op('ConstantOfShape', [this.shape(shape)], { value: { tensor } });
  }

  /** Whether a tensor is known to have no element. */
  isEmpty(...shapes: readonly Shape[]): boolean {
    return shapes.some((shape) => shape.some((dim) => this.fixed(dim) === 0));
  }

  reshape(x: Ref, shape: Shape): Ref {
    return this.block.op('Reshape', [x, this.shape(shape)], { allowzero: { int: 1 } });
  }

  /** The sequences of `tokens` rows that `starts` marks out, in a run of this form. */
  sequences(starts: Value, tokens: Dim): Sequences {
    const key = `${starts.id} ${tokens}`;
    const known = this.#sequences.get(key);
    if (known !== undefined) return known;
    const made = sequencesOf(this, starts, tokens);
    this.#sequences.set(key, made);
    return made;
  }

  /** A tensor that several kernels need, made once. */
  once(key: string, make: () => Ref): Ref {
    const known = this.#made.get(key);
    if (known !== undefined) return known;
    const made = make();
    this.#made.set(key, made);
    return made;
  }

  /** Row numbers kept within `0 … rows − 1`, whatever the data are. */
  clamp(ids: Ref, rows: Dim): Ref {
    const fixed = this.fixed(rows);
    const last =
      fixed !== undefined
        ? this.block.ints32([fixed - 1])
        : this.once(`last ${rows}`, () =>
            this.block.op('Sub', [
              this.block.op('Cast', [this.size(rows)], { to: { int: 6 } }),
              this.block.ints32([1]),
            ]),
          );
    return this.block.op('Max', [this.block.op('Min', [ids, last]), this.block.ints32([0])]);
  }

  cast(x: Ref, type: keyof typeof CAST): Ref {
    return this.block.op('Cast', [x], { to: { int: CAST[type] } });
  }

  transpose(x: Ref, axes: readonly number[]): Ref {
    return this.block.op('Transpose', [x], { perm: { ints: axes } });
  }

  /** Sum, max, mean or Euclidean length over axes. */
  reduce(
    fn: 'ReduceSum' | 'ReduceMax' | 'ReduceMean' | 'ReduceL2',
    x: Ref,
    axes: readonly number[],
    keep = false,
  ): Ref {
    return this.block.op(fn, [x, this.block.ints(axes)], { keepdims: { int: keep ? 1 : 0 } });
  }

  unsqueeze(x: Ref, ...axes: readonly number[]): Ref {
    return this.block.op('Unsqueeze', [x, this.block.ints(axes)]);
  }

  /** `x[…, from:to, …]`. */
  slice(x: Ref, axis: number, from: number, to: number): Ref {
    const { block } = this;
    return block.op('Slice', [x, block.ints([from]), block.ints([to]), block.ints([axis])]);
  }

  concat(parts: readonly Ref[], axis: number): Ref {
    return this.block.op('Concat', parts, { axis: { int: axis } });
  }
}

const CAST: Readonly<Record<'float32' | 'int32' | 'int64' | 'bool' | 'double', number>> = {
  float32: 1,
  int32: 6,
  int64: 7,
  bool: 9,
  double: 11,
};

/** Past the end of any axis, for slices. */
export const TO_THE_END: number = 2 ** 31 - 1;
