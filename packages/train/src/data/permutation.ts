/**
 * A seeded order of 0 … count − 1, one place at a time and without memory: four rounds of a Feistel network over the
 * smallest square of a power of two that holds them, walked on until the place is one of them (Black and Rogaway 2002).
 */
export function permuted(index: number, count: number, key: number): number {
  let half = 1;
  while (2 ** (2 * half) < count) half++;
  const size = 2 ** half;
  let place = index;
  do {
    let [left, right] = [Math.floor(place / size), place % size];
    for (let round = 0; round < 4; round++) {
      [left, right] = [right, (left ^ (mix(right ^ mix(key + round * 0x9e3779b9)) % size)) >>> 0];
    }
    place = left * size + right;
  } while (place >= count);
  return place;
}

/** The bijection `triple32` of Chris Wellons (hash-prospector). */
export function mix(value: number): number {
  let x = value >>> 0;
  x = Math.imul(x ^ (x >>> 17), 0xed5ad4bb);
  x = Math.imul(x ^ (x >>> 11), 0xac4c1b51);
  x = Math.imul(x ^ (x >>> 15), 0x31848bab);
  return (x ^ (x >>> 14)) >>> 0;
}
