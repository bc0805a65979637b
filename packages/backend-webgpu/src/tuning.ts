import { WORKGROUP } from './kernel.ts';

/** Shapes of work that a GPU is quickest with. Any of them compute the same; sums are taken in another order. */
export interface Tuning {
  /** Invocations that share a row of a weight, for few tokens: a power of 2 of those that add up without a barrier. */
  readonly lanes: number;
  /** Invocations of a workgroup that multiplies few tokens. */
  readonly workgroup: number;
  /** Rows and tokens that a workgroup multiplies, for many tokens and a large weight. */
  readonly tile: number;
}

/** Invocations that share a row where they add up by way of shared memory. */
const LANES_BY_MEMORY = 16;
export const WORKGROUPS = [64, 128, 256] as const;
export const TILES = [64, 32] as const;

/** Where nothing was measured. @param subgroup invocations of the smallest subgroup, 0 without */
export function untuned(subgroup: number): Tuning {
  return { lanes: subgroup || LANES_BY_MEMORY, workgroup: WORKGROUP, tile: TILES[0] };
}

/** The powers of 2 from `most` down to 1. */
export function lanesUpTo(most: number): number[] {
  return Array.from({ length: Math.log2(most) + 1 }, (_, i) => most / 2 ** i);
}
