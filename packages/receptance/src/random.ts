import { ReceptanceError } from '@receptance/core';

const GOLDEN_RATIO = 0x9e3779b9;

/**
 * A uniform number in [0, 1) that depends on nothing but the seed and a position: two rounds of a 32-bit mixing
 * function, keyed by the seed, over the position. It has 24 bits, so that it is exact in f32 and never 1.
 *
 * The position is that of the token in its text. So there is no generator to save, to fork or to rewind: the same
 * seed continues the same text in the same way, in however many calls it is made.
 *
 * @param seed whole number from 0 to 2⁵³ − 1
 * @param position whole number from 0 to 2³² − 1
 */
export function uniform(seed: number, position: number): number {
  const low = mix((seed >>> 0) + GOLDEN_RATIO);
  const high = mix(Math.floor(seed / 2 ** 32) + low + GOLDEN_RATIO);
  return (mix(mix((position ^ low) >>> 0) ^ high) >>> 8) / 2 ** 24;
}

/** A seed nobody chose. */
export function randomSeed(): number {
  return crypto.getRandomValues(new Uint32Array(1))[0] ?? 0;
}

/** @throws ReceptanceError `BAD_SAMPLING` */
export function checkSeed(seed: number): number {
  if (Number.isSafeInteger(seed) && seed >= 0) return seed;
  throw new ReceptanceError('BAD_SAMPLING', `seed ${seed} is not a whole number from 0 to 2^53 - 1`, {
    hint: 'leave it out to have one chosen',
  });
}

/** The bijection `triple32` of Chris Wellons (hash-prospector): every input bit moves every output bit. */
function mix(value: number): number {
  let x = value >>> 0;
  x = Math.imul(x ^ (x >>> 17), 0xed5ad4bb);
  x = Math.imul(x ^ (x >>> 11), 0xac4c1b51);
  x = Math.imul(x ^ (x >>> 15), 0x31848bab);
  return (x ^ (x >>> 14)) >>> 0;
}
