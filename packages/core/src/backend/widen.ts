import { ReceptanceError } from '../errors.ts';
import { type AbortSignalLike, BLOCKS, byteLength, type DType, type WeightSource } from '../weights.ts';

/** Bytes read from a source at a time, so that loading needs little more memory than the weights themselves. */
const STAGING_BYTES = 4 << 20;

/**
 * Numbers of stored bytes, exact in f32 but for f64 and i32. Little-endian; block formats as GGUF lays them out.
 * @param out has room for all elements of `bytes` from `offset` on
 */
export function widen(
  dtype: DType,
  bytes: Uint8Array,
  out: Float32Array | Float64Array | Int32Array,
  offset = 0,
): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const block = BLOCKS[dtype];
  const blocks = bytes.byteLength / block.bytes;
  const each = (read: (at: number) => number): void => {
    for (let i = 0; i < blocks; i++) out[offset + i] = read(i * block.bytes);
  };
  switch (dtype) {
    case 'f64':
      return each((at) => view.getFloat64(at, true));
    case 'f32':
      return each((at) => view.getFloat32(at, true));
    case 'i32':
      return each((at) => view.getInt32(at, true));
    case 'f16':
      return each((at) => halfToNumber(view.getUint16(at, true)));
    case 'bf16': {
      const bits = new Uint32Array(1);
      const number = new Float32Array(bits.buffer);
      return each((at) => {
        bits[0] = view.getUint16(at, true) << 16;
        return number[0] ?? 0;
      });
    }
    case 'q8_0':
      for (let i = 0; i < blocks; i++) {
        const scale = halfToNumber(view.getUint16(i * 34, true));
        for (let j = 0; j < 32; j++) out[offset + i * 32 + j] = scale * view.getInt8(i * 34 + 2 + j);
      }
      return;
    case 'q4_0':
      for (let i = 0; i < blocks; i++) {
        const scale = halfToNumber(view.getUint16(i * 18, true));
        for (let j = 0; j < 16; j++) {
          const pair = view.getUint8(i * 18 + 2 + j);
          out[offset + i * 32 + j] = scale * ((pair & 15) - 8);
          out[offset + i * 32 + j + 16] = scale * ((pair >> 4) - 8);
        }
      }
      return;
  }
}

/** The value of the bits of a half-precision number. */
export function halfToNumber(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/**
 * Reads a whole tensor in pieces and widens them one after the other.
 * @throws ReceptanceError `NOT_FINITE` when a weight is NaN or infinite: no text could come of it
 */
export async function readWidened(
  source: WeightSource,
  name: string,
  out: Float32Array | Float64Array | Int32Array,
  signal?: AbortSignalLike,
): Promise<void> {
  const info = source.tensors.get(name);
  if (info === undefined) throw new ReceptanceError('UNKNOWN_TENSOR', `the weights have no tensor ${name}`);
  const block = BLOCKS[info.dtype];
  const blocks = Math.floor(STAGING_BYTES / block.bytes);
  const total = byteLength(info.dtype, out.length);
  for (let start = 0, offset = 0; start < total; start += blocks * block.bytes, offset += blocks * block.elements) {
    signal?.throwIfAborted();
    const end = Math.min(total, start + blocks * block.bytes);
    widen(info.dtype, await source.read(name, { start, end }, signal), out, offset);
  }
  for (let i = 0; i < out.length; i++) {
    if (!Number.isFinite(out[i])) {
      throw new ReceptanceError('NOT_FINITE', `tensor ${name} holds ${out[i]} at element ${i}`, {
        hint: 'the checkpoint is damaged, or its training had diverged',
      });
    }
  }
}
