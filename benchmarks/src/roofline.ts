/** Bytes copied at once: far more than any cache. */
const BYTES = 128 << 20;

/**
 * Memory traffic of this machine in bytes per second, as a copy between two large arrays shows it (read + written).
 * It is the engine's native copy on one thread: a ceiling for any kernel that streams its weights on one.
 */
export function memoryBandwidth(repeats = 5): number {
  const [from, to] = [new Uint8Array(BYTES).fill(1), new Uint8Array(BYTES)];
  let best = 0;
  for (let i = 0; i < repeats; i++) {
    const start = performance.now();
    to.set(from);
    best = Math.max(best, (2 * BYTES) / ((performance.now() - start) / 1000));
  }
  return best;
}
