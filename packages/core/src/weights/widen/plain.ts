import { halfValues } from '../half.ts';
import type { DType } from '../weights.ts';

const LITTLE_ENDIAN = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

type Numbers = Float32Array | Float64Array | Int32Array;

/** Plain numbers, from their little-endian bytes at any address, to `out` from `offset` on. */
export function widenPlain(
  dtype: 'f64' | 'f32' | 'i32' | 'f16' | 'bf16',
  bytes: Uint8Array,
  out: Numbers,
  offset: number,
): void {
  switch (dtype) {
    case 'f64':
      return out.set(new Float64Array(words(bytes, 8)), offset);
    case 'f32':
      return out.set(new Float32Array(words(bytes, 4)), offset);
    case 'i32':
      return out.set(new Int32Array(words(bytes, 4)), offset);
    case 'f16': {
      const values = halfValues();
      const halves = new Uint16Array(words(bytes, 2));
      for (let i = 0; i < halves.length; i++) out[offset + i] = values[halves[i] ?? 0] ?? 0;
      return;
    }
    case 'bf16': {
      const halves = new Uint16Array(words(bytes, 2));
      const bits = new Uint32Array(1);
      const number = new Float32Array(bits.buffer);
      for (let i = 0; i < halves.length; i++) {
        bits[0] = (halves[i] ?? 0) << 16;
        out[offset + i] = number[0] ?? 0;
      }
    }
  }
}

/** A copy of whole words, in this machine's byte order. */
function words(bytes: Uint8Array, width: number): ArrayBuffer {
  const copy = new Uint8Array(bytes.subarray(0, bytes.length - (bytes.length % width)));
  if (!LITTLE_ENDIAN) for (let at = 0; at < copy.length; at += width) copy.subarray(at, at + width).reverse();
  return copy.buffer;
}

export function isPlain(dtype: DType): dtype is 'f64' | 'f32' | 'i32' | 'f16' | 'bf16' {
  return dtype === 'f32' || dtype === 'f16' || dtype === 'bf16' || dtype === 'f64' || dtype === 'i32';
}
