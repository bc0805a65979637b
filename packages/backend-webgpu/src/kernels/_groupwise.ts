import { type Sizes, sizeOf, type Value } from '@receptance/core';
import { floatBits, type Launch } from '../kernel.ts';

/** One workgroup for each group of channels of each row of x [N, C]: params count, groups, size, eps. */
export function groupwise(x: Value, groups: number, eps: number, sizes: Sizes): Launch {
  const [rows, channels] = [sizeOf(x.shape[0] ?? 1, sizes), sizeOf(x.shape[1] ?? 1, sizes)];
  return { workgroups: rows * groups, params: [rows * groups, groups, channels / groups, floatBits(eps)] };
}
