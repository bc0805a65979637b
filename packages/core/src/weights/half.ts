/** A format of 16 bits: a sign, an exponent, and `fraction` bits of the number after its leading one. */
export interface Half {
  readonly fraction: number;
  /** Of the smallest number that has a leading one. */
  readonly lowestExponent: number;
  readonly highestExponent: number;
  /** For each exponent, what makes the last bit of a number a unit. */
  readonly scales: Float64Array;
}

function half(fraction: number, lowestExponent: number, highestExponent: number): Half {
  const length = highestExponent - lowestExponent + 1;
  const scales = Float64Array.from({ length }, (_, i) => 2 ** (fraction - lowestExponent - i));
  return { fraction, lowestExponent, highestExponent, scales };
}

export const F16: Half = half(10, -14, 15);
export const BF16: Half = half(7, -126, 127);

/** The value of the bits of a half-precision number. */
export function halfToNumber(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

let halves: Float32Array | undefined;

/** The values of all 65,536 half-precision numbers: twice as fast to look up as to compute. */
export function halfValues(): Float32Array {
  halves ??= Float32Array.from({ length: 65536 }, (_, bits) => halfToNumber(bits));
  return halves;
}

const float = new Float64Array(1);
const words = new Uint32Array(float.buffer);
/** Adding it rounds to a whole number, ties to even. */
const ROUNDER = 2 ** 52;
/** Where the sign and exponent of a double are, whatever the machine's byte order. */
const HIGH = new Uint8Array(Uint32Array.of(1).buffer)[0] === 1 ? 1 : 0;

/**
 * The bits of the number of 16 bits nearest to `x`, ties to even; rounded once, also from a double.
 * What is too large becomes infinite, as IEEE 754 has it: the caller refuses it.
 */
export function numberToHalf(x: number, { fraction, lowestExponent, highestExponent, scales }: Half): number {
  float[0] = x;
  const high = words[HIGH] ?? 0;
  const sign = (high >>> 16) & 0x8000;
  const size = Math.abs(x);
  const infinite = (highestExponent - lowestExponent + 2) << fraction;
  if (Number.isNaN(x)) return infinite | (1 << (fraction - 1));
  if (size === Number.POSITIVE_INFINITY) return sign | infinite;
  const exponent = Math.max(((high >>> 20) & 2047) - 1023, lowestExponent);
  if (exponent > highestExponent) return sign | infinite;
  // In units of the last bit. A carry raises the exponent by itself.
  const units = size * (scales[exponent - lowestExponent] ?? 0) + ROUNDER - ROUNDER;
  return sign | (((exponent - lowestExponent) << fraction) + units);
}
