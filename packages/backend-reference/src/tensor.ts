import type { HostArray, HostKernelOf, HostTensor } from '@receptance/core';

/** Activations are Float64Array; a weight that f32 holds exactly is kept as Float32Array. */
export type Numbers = HostArray;
export type Tensor = HostTensor;
export type { HostKernelOf as KernelOf };

/** Element at a place known to lie inside. */
export function at(data: Numbers, index: number): number {
  return data[index] ?? 0;
}

/** Size of an axis, counted from the end when negative. */
export function axisSize(x: Tensor, axis: number): number {
  return x.shape.at(axis) ?? 1;
}

/** Calls `visit` for each sequence with its number, the state row that is its own, and its range of tokens. */
export function forEachSequence(
  starts: Tensor,
  slots: Tensor | undefined,
  visit: (row: number, begin: number, end: number) => void,
): void {
  for (let s = 0; s + 1 < starts.data.length; s++) {
    visit(slots === undefined ? s : at(slots.data, s), at(starts.data, s), at(starts.data, s + 1));
  }
}

/** Puts the initial state where the kernel updates it; in the pooled form it is there already. */
export function beginState(from: Tensor, to: Tensor): void {
  if (from.data !== to.data) to.data.set(from.data);
}
