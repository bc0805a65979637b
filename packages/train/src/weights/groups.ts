import type { Shape } from '@receptance/core';

/** How one tensor learns: the official trainers' parameter groups. */
export interface Group {
  /** Times the learning rate. */
  readonly rate: number;
  readonly decays: boolean;
}

/** Tensors that learn faster, as in the official trainers: decays twice, the bonus of RWKV-4 three times. */
const FASTER: readonly (readonly [RegExp, number])[] = [
  [/\.att\.w0$/, 2],
  [/\.att\.time_decay$/, 2],
  [/\.att\.time_first$/, 3],
];

/** The parameter group of a tensor: weight decay is for matrices named `.weight` alone. */
export function groupOf(name: string, shape: readonly number[]): Group {
  const rate = FASTER.find(([pattern]) => pattern.test(name))?.[1] ?? 1;
  const decays = name.endsWith('.weight') && shape.filter((size) => size !== 1).length >= 2;
  return { rate, decays };
}

/** A matrix inside a block, which turns one hidden vector into another: what Muon is for. */
export function isHiddenMatrix(name: string, shape: Shape): boolean {
  return /^blocks\.\d+\..+\.weight$/.test(name) && shape.length === 2 && shape.every((size) => Number(size) > 1);
}
