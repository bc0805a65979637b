import { type Dim, type Shape, sameShape } from '@receptance/core';

/** A product of dimensions; of none it is 1. */
export type Product = Shape;

/** The most axes that a kernel walks over (MAX_RANK of the crate). */
export const MAX_RANK = 8;

/** One axis of an index space: how long it is, and how far each operand moves along it (0: not at all). */
export interface Axis {
  readonly size: Product;
  readonly strides: readonly (Product | 0)[];
}

/** The index space of `shape`, and where operands that broadcast to it lie in it. */
export function broadcastAxes(shape: Shape, operands: readonly Shape[]): Axis[] {
  const axes = shape.map((dim, axis): Axis => {
    const strides = operands.map((operand) => {
      const own = axis - shape.length + operand.length;
      return own < 0 || operand[own] === 1 ? 0 : operand.slice(own + 1);
    });
    return { size: [dim], strides };
  });
  return joinAxes(axes);
}

/** The index space of some axes of a tensor in the order given, and where they lie in it. */
export function axesOf(shape: Shape, axes: readonly number[]): Axis[] {
  return joinAxes(axes.map((axis) => ({ size: [shape[axis] ?? 1], strides: [shape.slice(axis + 1)] })));
}

/** Drops axes of length 1 and joins neighbours that every operand passes over as if they were one axis. */
export function joinAxes(axes: readonly Axis[]): Axis[] {
  const joined: Axis[] = [];
  for (const axis of axes) {
    if (sameProduct(axis.size, [])) continue;
    const outer = joined.at(-1);
    if (outer === undefined || !fits(outer, axis)) joined.push(axis);
    else joined[joined.length - 1] = { size: [...outer.size, ...axis.size], strides: axis.strides };
  }
  return joined;
}

function fits(outer: Axis, inner: Axis): boolean {
  return outer.strides.every((stride, k) => {
    const next = inner.strides[k];
    if (stride === 0 || next === 0 || next === undefined) return stride === next;
    return sameProduct(stride, [...next, ...inner.size]);
  });
}

function sameProduct(a: Product, b: Product): boolean {
  if (sameShape(a, b)) return true;
  const [x, y] = [splitProduct(a), splitProduct(b)];
  return x.factor === y.factor && x.dims.length === y.dims.length && x.dims.every((dim, i) => dim === y.dims[i]);
}

/** A product as one number and the symbolic dimensions, sorted. */
export function splitProduct(product: Product): { readonly factor: number; readonly dims: readonly string[] } {
  const dims = product.filter((dim: Dim) => typeof dim === 'string').sort();
  return { factor: product.reduce<number>((all, dim) => (typeof dim === 'number' ? all * dim : all), 1), dims };
}
