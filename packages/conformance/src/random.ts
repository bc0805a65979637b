/**
 * A small seeded generator (mulberry32), so that a case is the same numbers on every machine. Numbers are rounded to
 * f32, so that a device of either float is given exactly the same.
 */
export class Random {
  #state: number;

  /** @param seed any text: each case uses its own id, so no case depends on the order of others */
  constructor(seed: string) {
    this.#state = 0x811c9dc5;
    for (let i = 0; i < seed.length; i++) {
      this.#state = Math.imul(this.#state ^ seed.charCodeAt(i), 0x01000193) >>> 0;
    }
  }

  /** Uniform in [0, 1). */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  }

  /** A whole number in [0, below). */
  integer(below: number): number {
    return Math.floor(this.next() * below);
  }

  uniform(low: number, high: number): number {
    return Math.fround(low + (high - low) * this.next());
  }

  /** Of mean 0 and standard deviation `scale`, by Box and Muller. */
  normal(scale = 1): number {
    const radius = Math.sqrt(-2 * Math.log(1 - this.next()));
    return Math.fround(scale * radius * Math.cos(2 * Math.PI * this.next()));
  }
}
