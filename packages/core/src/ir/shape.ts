import { ReceptanceError } from '../errors.ts';
import type { Dim, Shape, Sizes, TensorType } from './types.ts';

const SYMBOLIC = /^([A-Z][A-Za-z]*)(?:\+(\d+))?$/;

interface Symbolic {
  readonly symbol: string;
  readonly plus: number;
}

/** Graphs have a handful of symbolic dimensions, and name them again and again. */
const MOST_KNOWN = 256;
const known = new Map<string, Symbolic>();

/** A symbolic dimension taken apart: `S+1` is `{ symbol: 'S', plus: 1 }`. */
export function parseDim(dim: string): Symbolic {
  const found = known.get(dim) ?? parse(dim);
  if (known.size < MOST_KNOWN) known.set(dim, found);
  return found;
}

function parse(dim: string): Symbolic {
  const match = SYMBOLIC.exec(dim);
  const symbol = match?.[1];
  const plus = Number(match?.[2] ?? 0);
  if (symbol === undefined || !Number.isSafeInteger(plus)) {
    throw new ReceptanceError('BAD_SHAPE', `"${dim}" is not a dimension`, {
      hint: 'use a whole number ≥ 0, a symbol such as N, or a symbol plus a number such as S+1',
    });
  }
  return { symbol, plus };
}

export function checkShape(shape: Shape): void {
  for (const dim of shape) {
    if (typeof dim === 'string') parseDim(dim);
    else if (!Number.isSafeInteger(dim) || dim < 0) {
      throw new ReceptanceError('BAD_SHAPE', `${dim} is not a dimension`, { hint: 'dimensions are whole numbers ≥ 0' });
    }
  }
}

/** `dim` as a number, with its symbol bound by `sizes`. */
export function sizeOf(dim: Dim, sizes: Sizes): number {
  if (typeof dim === 'number') return dim;
  const { symbol, plus } = parseDim(dim);
  const size = sizes[symbol];
  if (size === undefined) {
    throw new ReceptanceError('UNBOUND_SYMBOL', `symbol ${symbol} has no size`, {
      hint: `give a number for ${symbol} in sizes or limits`,
    });
  }
  return size + plus;
}

export function concreteShape(shape: Shape, sizes: Sizes): number[] {
  return shape.map((dim) => sizeOf(dim, sizes));
}

/** How many elements a shape has when its symbols are bound by `sizes`. */
export function elementCount(shape: Shape, sizes: Sizes = {}): number {
  const count = shape.reduce<number>((product, dim) => product * sizeOf(dim, sizes), 1);
  if (Number.isSafeInteger(count)) return count;
  throw new ReceptanceError('BAD_SHAPE', `${formatShape(shape)} has more elements than can be counted`, {
    hint: 'the sizes are damaged or hostile',
  });
}

export function sameShape(a: Shape, b: Shape): boolean {
  if (a === b) return true;
  return a.length === b.length && a.every((dim, i) => dim === b[i]);
}

/** The symbols a shape mentions. */
export function symbolsOf(shape: Shape): string[] {
  return shape.flatMap((dim) => (typeof dim === 'string' ? [parseDim(dim).symbol] : []));
}

export function formatShape(shape: Shape): string {
  return `[${shape.join(',')}]`;
}

export function formatType(type: TensorType): string {
  return `${type.dtype}${formatShape(type.shape)}`;
}

/** The shape two operands broadcast to, axes aligned at the right, or `undefined` when they do not fit. */
export function broadcastShapes(a: Shape, b: Shape): Shape | undefined {
  const rank = Math.max(a.length, b.length);
  const shape: Dim[] = [];
  for (let axis = 0; axis < rank; axis++) {
    const x = a[axis - rank + a.length] ?? 1;
    const y = b[axis - rank + b.length] ?? 1;
    if (x !== y && x !== 1 && y !== 1) return undefined;
    shape.push(x === 1 ? y : x);
  }
  return shape;
}
