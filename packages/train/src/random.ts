/** A seeded stream of numbers: the same seed gives the same numbers in every engine. */
export interface Random {
  /** Uniform in [0, 1), 32 bits. */
  uniform(): number;
  /** Of mean 0 and variance 1. */
  normal(): number;
}

/** The generator `sfc32` of PractRand (Chris Doty-Humphrey), its state filled from seed and name. */
export function randomStream(seed: number, name = ''): Random {
  const state = new Uint32Array([seed >>> 0, Math.floor(seed / 2 ** 32) >>> 0, hash(name), 1]);
  const next = (): number => {
    const [a = 0, b = 0, c = 0, counter = 0] = state;
    const made = (a + b + counter) >>> 0;
    state[0] = b ^ (b >>> 9);
    state[1] = c + (c << 3);
    state[2] = ((c << 21) | (c >>> 11)) + made;
    state[3] = counter + 1;
    return made;
  };
  for (let round = 0; round < 12; round++) next();
  const uniform = (): number => next() / 2 ** 32;
  return {
    uniform,
    // Box and Muller's; 1 − u is never 0.
    normal: () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform()),
  };
}

/** FNV-1a over UTF-16 units. */
export function hash(text: string): number {
  let sum = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) sum = Math.imul(sum ^ text.charCodeAt(i), 0x01000193);
  return sum >>> 0;
}
