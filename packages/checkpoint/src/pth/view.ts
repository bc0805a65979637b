/** One axis of a view. */
export interface Axis {
  readonly size: number;
  /** Elements between neighbours in the storage. */
  readonly stride: number;
  /** Elements between neighbours in the row-major result. */
  readonly step: number;
}

/** Elements of a storage in some order, slowest axis first; axes of one element are left out. */
export interface View {
  readonly offset: number;
  readonly axes: readonly Axis[];
  readonly elements: number;
}

/**
 * A tensor's view with as few axes as describe it: a contiguous one has at most one, of stride 1.
 * `elements` is `Infinity` when the product of the shape is too large to be exact.
 */
export function viewOf(offset: number, shape: readonly number[], strides: readonly number[]): View {
  const axes: Axis[] = [];
  let step = 1;
  for (let i = shape.length - 1; i >= 0; i--) {
    const size = shape[i] ?? 0;
    const stride = strides[i] ?? 0;
    if (size === 1) continue;
    if (size === 0) return { offset, axes: [], elements: 0 };
    const inner = axes.at(-1);
    if (inner !== undefined && stride === inner.stride * inner.size) {
      axes[axes.length - 1] = { ...inner, size: inner.size * size };
    } else {
      axes.push({ size, stride, step });
    }
    step *= size;
    // Zeros further out make it empty after all.
    if (step > Number.MAX_SAFE_INTEGER) return { offset, axes: [], elements: shape.includes(0) ? 0 : Infinity };
  }
  return { offset, axes: axes.reverse(), elements: step };
}

export function isContiguous({ axes }: View): boolean {
  return axes.length === 0 || (axes.length === 1 && axes[0]?.stride === 1);
}

/** How many elements of the storage the view reaches over, from its offset on. */
export function extentOf(axes: readonly Axis[]): number {
  return axes.reduce((extent, { size, stride }) => extent + (size - 1) * stride, 1);
}

/** From the axis that moves farthest in the storage to the one that moves least. */
export function byStride(axes: readonly Axis[]): readonly Axis[] {
  return [...axes].sort((a, b) => b.stride - a.stride);
}

/**
 * Whether an element of the storage may occur at several places that are not repeats of a whole axis: then the
 * storage cannot be read front to back.
 */
export function overlaps(axes: readonly Axis[]): boolean {
  let extent = 1;
  for (const { size, stride } of byStride(axes).toReversed()) {
    if (stride === 0) continue;
    if (stride < extent) return true;
    extent += (size - 1) * stride;
  }
  return false;
}
