/** Where the grammar's decisions come from: a seeded sampler here, a text being recognised in `recognise.ts`. */
export interface Chooser {
  /** An index below `count`, uniform unless `weights` (same length, any positive scale) says otherwise. */
  choose(count: number, weights?: readonly number[]): number;
  /** Told the whole document so far after each addition. */
  wrote(text: string): void;
}

/** Probability of option `index` among `count`. */
export function probabilityOf(index: number, count: number, weights?: readonly number[]): number {
  if (weights === undefined) return 1 / count;
  let total = 0;
  for (const weight of weights) total += weight;
  return (weights[index] ?? 0) / total;
}

/** Uniform doubles in [0, 1) from a 32-bit seed (the mulberry32 recurrence: period 2^32, plenty for a corpus). */
export function uniform(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

/** Draws from a seeded stream and adds up −log2 of the probability of everything it drew. */
export class Sampler implements Chooser {
  bits = 0;
  private readonly next: () => number;

  constructor(seed: number) {
    this.next = uniform(seed);
  }

  choose(count: number, weights?: readonly number[]): number {
    let index = 0;
    if (weights === undefined) {
      index = Math.min(count - 1, Math.floor(this.next() * count));
    } else {
      let left = this.next();
      while (index < count - 1) {
        left -= probabilityOf(index, count, weights);
        if (left < 0) break;
        index++;
      }
    }
    this.bits -= Math.log2(probabilityOf(index, count, weights));
    return index;
  }

  wrote(): void {}
}
