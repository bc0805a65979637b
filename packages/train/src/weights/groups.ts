import type { Group } from '../graph/step.ts';

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
