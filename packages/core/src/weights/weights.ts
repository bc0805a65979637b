/**
 * Types of numbers. Activations are `f32` (f64 inside the reference) or `i32`; the others are how a weight is stored.
 * The block formats are laid out as GGUF lays them out.
 */
export type DType = 'f32' | 'i32' | StorageDType;
export type StorageDType = 'f64' | 'f16' | 'bf16' | BlockDType;
/** Blocks of 32 numbers under one scale, and superblocks of 256 (`_k`) whose scales are themselves quantised. */
export type BlockDType = 'q8_0' | 'q4_0' | 'q4_1' | 'q5_0' | 'q5_1' | 'q4_k' | 'q5_k' | 'q6_k';

/** Name, type and shape of a stored tensor, as its file says. Shapes are row-major, slowest axis first. */
export interface TensorInfo {
  readonly dtype: DType;
  readonly shape: readonly number[];
  /** Length of the stored bytes. */
  readonly bytes: number;
}

/**
 * Weights by name and byte range, so that nothing forces a whole file into memory.
 * The bytes are little-endian and contiguous in row-major order, whatever the file's own layout is.
 */
export interface WeightSource {
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  /**
   * Bytes `[start, end)` of a tensor (all of it by default).
   * @param into room for exactly so many bytes, which a source may fill and give back in place of a fresh array: memory
   * that is used again is several times faster than new
   * @throws ReceptanceError `UNKNOWN_TENSOR`, or what the file's reader throws on a short or broken file.
   */
  read(name: string, range?: ByteRange, signal?: AbortSignalLike, into?: Uint8Array): Promise<Uint8Array>;
}

export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/** The part of `AbortSignal` that core needs; core knows no platform. */
export interface AbortSignalLike {
  readonly aborted: boolean;
  throwIfAborted(): void;
}

/** Called while something takes long: what, and how far of what total (bytes, steps or pipelines). */
export type ProgressListener = (progress: Progress) => void;

export interface Progress {
  readonly what: string;
  readonly done: number;
  readonly total: number;
}

/** Elements in a block and bytes of a block, per type. A plain number is a block of one. */
export const BLOCKS: Readonly<Record<DType, { readonly elements: number; readonly bytes: number }>> = {
  f64: { elements: 1, bytes: 8 },
  f32: { elements: 1, bytes: 4 },
  i32: { elements: 1, bytes: 4 },
  f16: { elements: 1, bytes: 2 },
  bf16: { elements: 1, bytes: 2 },
  q8_0: { elements: 32, bytes: 34 },
  q4_0: { elements: 32, bytes: 18 },
  q4_1: { elements: 32, bytes: 20 },
  q5_0: { elements: 32, bytes: 22 },
  q5_1: { elements: 32, bytes: 24 },
  q4_k: { elements: 256, bytes: 144 },
  q5_k: { elements: 256, bytes: 176 },
  q6_k: { elements: 256, bytes: 210 },
};

/** Bytes that `elements` numbers of a type take. Blocks run along the fastest axis. */
export function byteLength(dtype: DType, elements: number): number {
  const block = BLOCKS[dtype];
  return Math.ceil(elements / block.elements) * block.bytes;
}
