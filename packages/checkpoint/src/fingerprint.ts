import type { ByteRange, WeightSource } from '@receptance/core';

/** Bytes that are looked at in one place of a tensor. */
const WINDOW = 64;

/** FNV-1a of 64 bits: where it begins, and its prime 2^40 + 0x1b3, of which this is the lower part. */
const FNV_OFFSET: Hash = [0xcbf29ce4, 0x84222325];
const FNV_PRIME = 0x1b3;

/** The upper and the lower 32 bits: numbers, for bigint takes ten times as long. */
type Hash = readonly [upper: number, lower: number];

/** The weights that were read through `source`, told apart by a number. */
export interface Fingerprinting {
  readonly source: WeightSource;
  /** Reads what `source` was not asked for. */
  fingerprint(): Promise<Fingerprint>;
}

/** Hashed when it is looked at: only who saves states or loads again does. */
export interface Fingerprint {
  /** 16 hexadecimal digits. */
  readonly digits: string;
}

/**
 * A source that looks at what is read through it, so that a fingerprint costs no reading of its own.
 *
 * The fingerprint is the FNV-1a hash, 64 bits, of name, type, shape and 64 bytes from the beginning, from the middle and
 * before the end of every tensor that is named, in order of their names. So it tells models and trained copies of a model apart, and
 * the same model in two precisions; it does not notice a change between those places, and proves nothing to who does
 * not trust the file.
 */
export function fingerprinting(source: WeightSource, names: Iterable<string>): Fingerprinting {
  const sorted = [...new Set(names)].filter((name) => source.tensors.has(name)).sort();
  const seen = new Map<string, Uint8Array>();
  const wanted = new Map(sorted.map((name) => [name, windowsOf(source.tensors.get(name)?.bytes ?? 0)]));
  return {
    source: {
      tensors: source.tensors,
      async read(name, range, signal, into) {
        const bytes = await source.read(name, range, signal, into);
        const from = range?.start ?? 0;
        for (const { start, end } of wanted.get(name) ?? []) {
          if (start < from || end > from + bytes.length) continue;
          seen.set(keyOf(name, start), bytes.slice(start - from, end - from));
        }
        return bytes;
      },
    },
    async fingerprint() {
      for (const [name, windows] of wanted) {
        for (const window of windows) {
          const key = keyOf(name, window.start);
          if (!seen.has(key)) seen.set(key, await source.read(name, window));
        }
      }
      let known: string | undefined;
      return {
        get digits() {
          known ??= hashDigits(hashed());
          return known;
        },
      };
    },
  };

  function* hashed(): Generator<Uint8Array, void, undefined> {
    const utf8 = new TextEncoder();
    for (const [name, windows] of wanted) {
      const info = source.tensors.get(name);
      yield utf8.encode(`${name}\n${info?.dtype} ${info?.shape.join()}\n`);
      for (const { start } of windows) yield seen.get(keyOf(name, start)) ?? new Uint8Array(0);
    }
  }
}

/** The FNV-1a hash, 64 bits, of bytes one after the other, as 16 hexadecimal digits. */
export function hashDigits(parts: Iterable<Uint8Array>): string {
  let hash = FNV_OFFSET;
  for (const bytes of parts) hash = fnv(hash, bytes);
  return hash.map((half) => half.toString(16).padStart(8, '0')).join('');
}

function windowsOf(bytes: number): ByteRange[] {
  // Not across the middle: who reads in pieces is likely to begin one there.
  const last = Math.max(0, bytes - WINDOW);
  const starts = new Set([0, Math.min(Math.floor(bytes / 2), last), last]);
  return [...starts].map((start) => ({ start, end: Math.min(bytes, start + WINDOW) }));
}

function keyOf(name: string, start: number): string {
  return `${start} ${name}`;
}

/** The hash of what came before, and of these bytes after it. */
function fnv([before, begin]: Hash, bytes: Uint8Array): Hash {
  let [upper, lower] = [before, begin];
  for (const byte of bytes) {
    lower ^= byte;
    // Times 2^40 is the lower half, eight bits on, in the upper one; a product of 32 by 9 bits is exact.
    const product = (lower >>> 0) * FNV_PRIME;
    upper = (Math.imul(upper, FNV_PRIME) + (lower << 8) + Math.floor(product / 2 ** 32)) >>> 0;
    lower = product >>> 0;
  }
  return [upper, lower];
}
