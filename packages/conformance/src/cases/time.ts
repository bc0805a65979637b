import type { OpSpec } from '../spec.ts';

/** Sequences as the time ops are tried: one, of one token, several unequal, with empty ones, none with a token. */
export const LENGTHS: readonly (readonly number[])[] = [[7], [1], [1, 1, 1], [3, 0, 1, 4], [0, 0], [33]];

/** Lengths and pool rows for the pooled form: rows out of order, rows between, empty sequences. */
export const POOLED: readonly { readonly lengths: readonly number[]; readonly pool: NonNullable<OpSpec['pool']> }[] = [
  { lengths: [3, 1, 2], pool: { slots: [4, 0, 2], size: 6 } },
  { lengths: [0, 5, 0], pool: { slots: [2, 1, 0], size: 3 } },
  { lengths: [1, 1, 1, 1], pool: { slots: [3, 2, 1, 0], size: 4 } },
  { lengths: [4], pool: { slots: [1], size: 2 } },
];

export function total(lengths: readonly number[]): number {
  return lengths.reduce((sum, length) => sum + length, 0);
}

/** `N=8,S=4,lengths=3+0+1+4`, and the slots where there is a pool. */
export function nameOf(lengths: readonly number[], more: string, pool?: OpSpec['pool']): string {
  const sizes = `N=${total(lengths)},S=${lengths.length},${more},lengths=${lengths.join('+')}`;
  return pool === undefined ? sizes : `${sizes},slots=${pool.slots.join('.')}`;
}
