import { ReceptanceError } from '../errors.ts';
import { BF16, F16, numberToHalf } from './half.ts';
import { type QuantizedDType, quantize } from './quantize.ts';
import { type AbortSignalLike, BLOCKS, byteLength, type DType, type TensorInfo, type WeightSource } from './weights.ts';
import { checkFinite, widen } from './widen.ts';

export type PlainDType = 'f32' | 'f16' | 'bf16';

/** Elements converted at a time; a multiple of every block. */
const PIECE = 1 << 18;

/** The matrices that make up almost all of a model: embedding, projections and head under their official names. */
const BIG_MATRIX =
  /^(?:(?:emb|head)|blocks\.\d+\.(?:att\.(?:receptance|key|value|gate|output)|ffn\.(?:receptance|key|value)))\.weight$/;

/** Whether a tensor is one of those matrices. */
export function isBigMatrix(name: string): boolean {
  return BIG_MATRIX.test(name);
}

export interface ConvertOptions {
  readonly dtype: PlainDType;
  /** Which tensors to convert; all when left out. */
  readonly only?: (name: string, info: TensorInfo) => boolean;
}

/**
 * The same weights with every tensor as plain numbers of one type, converted when they are read: rounded once, to
 * nearest, ties to even. Integers stay.
 * @returns a source whose `read` throws ReceptanceError `OVERFLOW` naming a tensor with a number that the type cannot
 * hold, and `NOT_FINITE` for one that is not finite
 */
export function convertTensors(source: WeightSource, { dtype, only }: ConvertOptions): WeightSource {
  return recoded(source, (name, info) => (info.dtype === 'i32' || only?.(name, info) === false ? info.dtype : dtype));
}

/**
 * The same weights with the big matrices in blocks, quantised when they are read; the rest stays, and so does what is
 * in blocks already. The default takes embedding, projections and head where their rows are whole blocks.
 * @param matrices which tensors to quantise instead
 * @throws ReceptanceError `BAD_SHAPE` when `matrices` names a tensor whose rows are not whole blocks
 */
export function quantizedSource(
  source: WeightSource,
  dtype: QuantizedDType,
  matrices?: (name: string, info: TensorInfo) => boolean,
): WeightSource {
  const { elements } = BLOCKS[dtype];
  return recoded(source, (name, info) => {
    const fits = (info.shape.at(-1) ?? 0) % elements === 0;
    const chosen = matrices?.(name, info) ?? (fits && info.shape.length >= 2 && isBigMatrix(name));
    if (!chosen || BLOCKS[info.dtype].elements > 1) return info.dtype;
    if (fits && info.shape.length > 0) return dtype;
    throw new ReceptanceError('BAD_SHAPE', `tensor ${name} of shape [${info.shape}] cannot be ${dtype}`, {
      hint: `its rows would have to be of a multiple of ${elements} numbers`,
    });
  });
}

function recoded(source: WeightSource, choose: (name: string, info: TensorInfo) => DType): WeightSource {
  const tensors = new Map<string, TensorInfo>();
  for (const [name, info] of source.tensors) {
    const dtype = choose(name, info);
    tensors.set(
      name,
      dtype === info.dtype ? info : { dtype, shape: info.shape, bytes: byteLength(dtype, elementsOf(info)) },
    );
  }
  return {
    tensors,
    async read(name, range, signal, into) {
      const from = source.tensors.get(name);
      const to = tensors.get(name);
      if (from === undefined || to === undefined || from.dtype === to.dtype)
        return source.read(name, range, signal, into);
      const { start, end } = range ?? { start: 0, end: to.bytes };
      if (!Number.isSafeInteger(start) || !Number.isSafeInteger(end) || start < 0 || start > end || end > to.bytes) {
        throw new ReceptanceError('BAD_RANGE', `tensor ${name} has bytes [0, ${to.bytes}), not [${start}, ${end})`, {
          hint: 'give 0 ≤ start ≤ end ≤ bytes as whole numbers',
        });
      }
      return convertRange({ source, name, from, to }, start, end, signal);
    },
  };
}

interface Conversion {
  readonly source: WeightSource;
  readonly name: string;
  readonly from: TensorInfo;
  readonly to: TensorInfo;
}

/** Bytes `[start, end)` of the converted tensor, piece by piece: only the result is held whole. */
async function convertRange(
  { source, name, from, to }: Conversion,
  start: number,
  end: number,
  signal: AbortSignalLike | undefined,
): Promise<Uint8Array> {
  const out = new Uint8Array(end - start);
  const [stored, wanted] = [BLOCKS[from.dtype], BLOCKS[to.dtype]];
  const step = Math.max(stored.elements, wanted.elements);
  const total = elementsOf(from);
  const first = Math.floor((Math.floor(start / wanted.bytes) * wanted.elements) / step) * step;
  const last = Math.min(total, Math.ceil(end / wanted.bytes) * wanted.elements);
  for (let at = first; at < last; at += PIECE) {
    signal?.throwIfAborted();
    const until = Math.min(total, at + PIECE, Math.ceil(last / step) * step);
    const range = { start: byteLength(from.dtype, at), end: byteLength(from.dtype, until) };
    const numbers = new (from.dtype === 'f64' ? Float64Array : Float32Array)(until - at);
    widen(from.dtype, await source.read(name, range, signal), numbers);
    checkFinite(name, numbers, at);
    const bytes = encode(name, to.dtype, numbers, at);
    const place = byteLength(to.dtype, at) - start;
    out.set(bytes.subarray(Math.max(0, -place), Math.max(0, out.length - place)), Math.max(0, place));
  }
  return out;
}

function encode(name: string, dtype: DType, numbers: Float32Array | Float64Array, offset: number): Uint8Array {
  switch (dtype) {
    case 'f32':
    case 'f16':
    case 'bf16':
      return narrow(name, dtype, numbers, offset);
    case 'q8_0':
    case 'q4_0':
      try {
        return quantize(dtype, Float32Array.from(numbers));
      } catch (cause) {
        if (!ReceptanceError.isInstance(cause)) throw cause;
        const hint = cause.hint === undefined ? {} : { hint: cause.hint };
        throw new ReceptanceError(cause.code, `tensor ${name}, from element ${offset} on: ${cause.message}`, {
          cause,
          ...hint,
        });
      }
    default:
      throw new ReceptanceError('UNSUPPORTED_DTYPE', `tensor ${name} cannot be made ${dtype}`);
  }
}

/**
 * Numbers as little-endian bytes of a type, rounded to nearest, ties to even.
 * @param name what an error calls the tensor
 * @param offset the number of the first element, for errors
 * @throws ReceptanceError `OVERFLOW` when a number is not finite in the type
 */
export function narrow(
  name: string,
  dtype: PlainDType,
  numbers: Float32Array | Float64Array,
  offset = 0,
): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(byteLength(dtype, numbers.length));
  const view = new DataView(bytes.buffer);
  const half = dtype === 'f16' ? F16 : BF16;
  const infinite = dtype === 'f16' ? 0x7c00 : 0x7f80;
  for (let i = 0; i < numbers.length; i++) {
    const x = numbers[i] ?? 0;
    let fits: boolean;
    if (dtype === 'f32') {
      fits = Number.isFinite(Math.fround(x));
      view.setFloat32(i * 4, x, true);
    } else {
      const bits = numberToHalf(x, half);
      fits = (bits & 0x7fff) < infinite;
      view.setUint16(i * 2, bits, true);
    }
    if (!fits) {
      throw new ReceptanceError('OVERFLOW', `tensor ${name} holds ${x} at element ${offset + i}, beyond ${dtype}`, {
        hint: dtype === 'f16' ? 'use bf16 or f32' : 'use a wider type',
      });
    }
  }
  return bytes;
}

function elementsOf({ shape }: TensorInfo): number {
  return shape.reduce((product, size) => product * size, 1);
}
