import {
  type AbortSignalLike,
  type DType,
  narrow,
  quantize,
  ReceptanceError,
  type WeightSource,
} from '@receptance/core';

/** A tensor in memory, as bytes of its type. */
export interface StoredTensor {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
}

/** Tensors in memory as a source of weights. */
export function memorySource(tensors: Readonly<Record<string, StoredTensor>>): WeightSource {
  return {
    tensors: new Map(
      Object.entries(tensors).map(([name, { dtype, shape, bytes }]) => [name, { dtype, shape, bytes: bytes.length }]),
    ),
    async read(name, range, signal?: AbortSignalLike) {
      signal?.throwIfAborted();
      const tensor = Object.hasOwn(tensors, name) ? tensors[name] : undefined;
      if (tensor === undefined) throw new ReceptanceError('UNKNOWN_TENSOR', `the weights have no tensor ${name}`);
      return tensor.bytes.slice(range?.start ?? 0, range?.end ?? tensor.bytes.length);
    },
  };
}

/** Numbers as stored bytes of a type. @throws Error for block types that nothing here writes */
export function store(dtype: DType, shape: readonly number[], numbers: ArrayLike<number>): StoredTensor {
  return { dtype, shape, bytes: bytesOf(dtype, numbers) };
}

function bytesOf(dtype: DType, numbers: ArrayLike<number>): Uint8Array {
  switch (dtype) {
    case 'f64':
      return new Uint8Array(Float64Array.from(numbers).buffer);
    case 'i32':
      return new Uint8Array(Int32Array.from(numbers).buffer);
    case 'f32': // whatever they are: damaged weights too
      return new Uint8Array(Float32Array.from(numbers).buffer);
    case 'f16':
    case 'bf16':
      return narrow('of a case', dtype, Float64Array.from(numbers));
    case 'q8_0':
    case 'q4_0':
      return quantize(dtype, Float32Array.from(numbers));
    default:
      throw new Error(`cases cannot store ${dtype}`);
  }
}
