import {
  type AbortSignalLike,
  BLOCKS,
  byteLength,
  type DType,
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

/** Numbers as stored bytes of a type, rounded to nearest: plain loops, for test data only. */
export function store(dtype: DType, shape: readonly number[], numbers: ArrayLike<number>): StoredTensor {
  const bytes = new Uint8Array(byteLength(dtype, numbers.length));
  const view = new DataView(bytes.buffer);
  const block = BLOCKS[dtype];
  for (let start = 0, at = 0; start < numbers.length; start += block.elements, at += block.bytes) {
    storeBlock(
      view,
      at,
      dtype,
      Array.from({ length: block.elements }, (_, i) => numbers[start + i] ?? 0),
    );
  }
  return { dtype, shape, bytes };
}

function storeBlock(view: DataView, at: number, dtype: DType, numbers: readonly number[]): void {
  const [first = 0] = numbers;
  switch (dtype) {
    case 'f64':
      return view.setFloat64(at, first, true);
    case 'f32':
      return view.setFloat32(at, first, true);
    case 'i32':
      return view.setInt32(at, first, true);
    case 'f16':
      return view.setUint16(at, halfBits(first), true);
    case 'bf16':
      return view.setUint16(at, bfloatBits(first), true);
    case 'q8_0': {
      const bits = halfBits(Math.max(...numbers.map(Math.abs)) / 127);
      view.setUint16(at, bits, true);
      numbers.forEach((x, i) => {
        view.setInt8(at + 2 + i, clamp(Math.round(x / (halfValue(bits) || 1)), -127, 127));
      });
      return;
    }
    case 'q4_0': {
      const bits = halfBits(Math.max(...numbers.map(Math.abs)) / 7);
      const level = (x = 0): number => clamp(Math.round(x / (halfValue(bits) || 1)), -8, 7) + 8;
      view.setUint16(at, bits, true);
      for (let i = 0; i < 16; i++) view.setUint8(at + 2 + i, level(numbers[i]) | (level(numbers[i + 16]) << 4));
      return;
    }
  }
}

function clamp(x: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, x));
}

function bfloatBits(x: number): number {
  const bits = new Uint32Array(new Float32Array([x]).buffer)[0] ?? 0;
  return ((bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16) & 0xffff;
}

/** The bits of the half-precision number nearest to x, |x| < 65520. */
function halfBits(x: number): number {
  const sign = x < 0 ? 0x8000 : 0;
  const size = Math.abs(x);
  const exponent = size < 2 ** -14 ? -14 : Math.floor(Math.log2(size));
  const units = roundToEven(size / 2 ** (exponent - 10));
  return sign + (size < 2 ** -14 ? units : ((exponent + 14) << 10) + units);
}

function halfValue(bits: number): number {
  const exponent = (bits >> 10) & 31;
  return exponent === 0 ? (bits & 1023) * 2 ** -24 : (1 + (bits & 1023) / 1024) * 2 ** (exponent - 15);
}

function roundToEven(x: number): number {
  const below = Math.floor(x);
  const up = x - below > 0.5 || (x - below === 0.5 && below % 2 === 1);
  return up ? below + 1 : below;
}
