import { elementCount, type Node, type Sizes, type Value } from '@receptance/core';
import {
  axisSize,
  floatBits,
  type LowerContext,
  MAX_WORKGROUP,
  type Operand,
  type Program,
  perElement,
  read,
  type Scratch,
  WORKGROUP,
  write,
} from '../kernel.ts';
import { shader } from '../shaders.ts';
import { FORMATS, type Weight } from '../weight.ts';
import { pack } from './_packing.ts';

/** What the fused programs of a block have in common: rows of activations, and where its vectors lie. */
export interface Block {
  readonly context: LowerContext;
  readonly width: number;
  /** f32[N,C] */
  readonly x: Value;
  readonly starts: Value;
  readonly slots: Value | undefined;
  readonly vectors: Vectors;
  tokens(sizes: Sizes): number;
}

/** Vectors that a shader sees through one binding. */
export interface Vectors {
  readonly operand: Operand;
  /** Copies them together where they do not share memory. */
  readonly programs: readonly Program[];
  /** Element where a vector begins. */
  at(name: string): number;
}

/** Head sizes whose state a fused program keeps in registers. */
const HEAD_SIZES = [4, 8, 16, 32, 64];

/** Whether a block's sizes are those that the fused programs are made for; matrices of any sizes go one op at a time. */
export function fits(node: Node, matrices: readonly string[], heads?: string): true | string {
  const width = node.inputs['x']?.shape[1];
  const shapes = [[width], ...matrices.flatMap((name) => node.inputs[name]?.shape ?? []).map((dim) => [dim])];
  if (shapes.some(([dim]) => typeof dim !== 'number' || dim % 4 !== 0)) return 'sizes that are no multiples of 4';
  const size = heads === undefined ? 4 : Number(node.inputs[heads]?.shape.at(-1));
  return HEAD_SIZES.includes(size) || `heads of ${size} channels, ${HEAD_SIZES.join(', ')} are fused`;
}

export function blockOf(
  { x, starts, slots }: { readonly x: Value; readonly starts: Value; readonly slots?: Value | undefined },
  vectors: Readonly<Record<string, Value | undefined>>,
  scratch: number,
  context: LowerContext,
): Block {
  return {
    ...{ context, x, starts, slots, width: Number(x.shape[1]) },
    vectors: together(vectors, scratch, context),
    tokens: (sizes) => axisSize(x, 0, sizes),
  };
}

/** So many rows of `width` numbers for each token. */
export function rowsOf({ tokens }: Block, scratch: number, width: number): Scratch {
  return { scratch, elements: (sizes) => tokens(sizes) * width };
}

function together(named: Readonly<Record<string, Value | undefined>>, scratch: number, context: LowerContext): Vectors {
  const values = Object.entries(named).flatMap(([name, value]) => (value === undefined ? [] : [{ name, value }]));
  const held = values.map(({ name, value }) => ({ name, part: context.weight(value).parts[0] }));
  const [first] = held;
  const shared = first?.part?.operand;
  const places = new Map<string, number>();
  const found = (name: string): number => {
    const at = places.get(name);
    if (at === undefined) throw new Error(`${name} is not among the block's vectors`);
    return at;
  };
  if (shared !== undefined && 'gpu' in shared && held.every(({ part }) => part?.operand === shared)) {
    for (const { name, part } of held) places.set(name, (part?.at ?? 0) * 4);
    return { operand: shared, programs: [], at: found };
  }
  const packed = pack(
    values.map(({ value }) => value),
    scratch,
  );
  let end = 0;
  for (const { name, value } of values) {
    places.set(name, end);
    end += elementCount(value.shape);
  }
  return { operand: packed.scratch, programs: packed.programs, at: found };
}

/**
 * A matrix whose rows are what a product's columns are: as it is held, or turned in scratch memory at every run where it
 * is held otherwise, such as one that is computed.
 */
export function rowMajor(
  value: Value,
  transposed: boolean,
  scratch: number,
  context: LowerContext,
): { readonly weight: Weight; readonly programs: readonly Program[] } {
  const weight = context.weight(value);
  if (transposed === weight.flipped) return { weight: { ...weight, flipped: false }, programs: [] };
  const { rows, columns, format, parts } = weight;
  const turned: Scratch = { scratch, elements: () => rows * columns };
  const programs = parts.map(
    ({ operand, at, firstRow, rows: own }): Program => ({
      shader: shader('_turn', '_weights'),
      constants: { FORMAT: FORMATS.indexOf(format) },
      bindings: [read(operand), read(operand), write(turned)],
      launch: () => ({
        workgroups: perElement(own * columns),
        params: [own * columns, at, own, columns, firstRow, rows],
      }),
    }),
  );
  const whole = { operand: turned, at: 0, firstRow: 0, rows: columns };
  return { weight: { format: 'f32', flipped: false, rows: columns, columns: rows, parts: [whole] }, programs };
}

/** Shares that are the same for every channel, in place of a vector's name. */
export const NOTHING: unique symbol = Symbol('a share of 0');
export const ALL: unique symbol = Symbol('a share of 1');
const SAME = new Map<unknown, number>([
  [NOTHING, 0xffffffff],
  [ALL, 0xfffffffe],
]);

export interface Mix {
  /** The residual stream. */
  readonly x: Operand;
  readonly norm: 'ln1' | 'ln2';
  readonly eps: number;
  /** The state of the token shift, updated in place. */
  readonly state: Value;
  readonly shares: readonly (string | typeof NOTHING | typeof ALL)[];
  readonly mixOf: 'present' | 'previous';
  /** The streams [shares, N, C]. */
  readonly y: Scratch;
}

/** The norm before a half of the block, and its streams. */
export function mix(block: Block, { x, norm, eps, state, shares, mixOf, y }: Mix): Program {
  const { vectors, starts, slots, width, tokens } = block;
  const at = (share: Mix['shares'][number]): number =>
    typeof share === 'string' ? vectors.at(share) : (SAME.get(share) ?? 0);
  const eight = [...shares.map(at), ...new Array<number>(8).fill(0)].slice(0, 8);
  return {
    shader: shader('_mix'),
    constants: {
      ...{ STREAMS: shares.length, PRESENT: Number(mixOf === 'present'), POOLED: Number(slots !== undefined) },
      WG: width >= 1024 ? MAX_WORKGROUP : WORKGROUP,
    },
    bindings: [...[x, vectors.operand, starts, slots ?? starts].map(read), write(state), write(y)],
    launch(sizes) {
      const [count, sequences] = [tokens(sizes), axisSize(starts, 0, sizes) - 1];
      const norms = [floatBits(eps), vectors.at(`${norm}_w`), vectors.at(`${norm}_b`), 0];
      return { workgroups: count, params: [count, width, sequences, axisSize(state, 0, sizes), ...norms, ...eight] };
    },
  };
}
