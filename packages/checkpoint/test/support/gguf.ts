import { u32, u64, utf8 } from './zip.ts';

/** Writes .gguf files as llama.cpp does, and as it does not. */
export interface GgufToMake {
  readonly version?: number;
  readonly metadata?: readonly number[][];
  readonly tensors?: readonly TensorToMake[];
  /** What the header says instead of the truth. */
  readonly tensorCount?: number | bigint;
  readonly pairCount?: number | bigint;
  readonly alignment?: number;
}

export interface TensorToMake {
  readonly name: string;
  /** Slowest axis first. */
  readonly shape: readonly (number | bigint)[];
  readonly type?: number;
  readonly data?: Uint8Array;
  /** What the header says instead of the truth. */
  readonly offset?: number | bigint;
}

export function string(text: string): number[] {
  return [...u64(utf8(text).length), ...utf8(text)];
}

export const value = {
  u32: (key: string, number: number): number[] => [...string(key), ...u32(4), ...u32(number)],
  f32: (key: string, number: number): number[] => [
    ...string(key),
    ...u32(6),
    ...new Uint8Array(Float32Array.of(number).buffer),
  ],
  string: (key: string, text: string): number[] => [...string(key), ...u32(8), ...string(text)],
  strings: (key: string, texts: readonly string[], count: number | bigint = texts.length): number[] => [
    ...[...string(key), ...u32(9), ...u32(8), ...u64(count)],
    ...texts.flatMap(string),
  ],
  /** Any type and bytes. */
  raw: (key: string, type: number, bytes: readonly number[]): number[] => [...string(key), ...u32(type), ...bytes],
};

export function gguf({
  version = 3,
  metadata = [],
  tensors = [],
  tensorCount = tensors.length,
  pairCount = metadata.length,
  alignment = 32,
}: GgufToMake): Uint8Array {
  const pad = (size: number): number => Math.ceil(size / alignment) * alignment;
  const header = [...utf8('GGUF'), ...u32(version), ...u64(tensorCount), ...u64(pairCount), ...metadata.flat()];
  const data: number[] = [];
  for (const { name, shape, type = 0, data: bytes = new Uint8Array(), offset = data.length } of tensors) {
    header.push(...string(name), ...u32(shape.length), ...shape.toReversed().flatMap((size) => u64(size)));
    header.push(...u32(type), ...u64(offset));
    data.push(...bytes, ...new Uint8Array(pad(bytes.length) - bytes.length));
  }
  return Uint8Array.from([...header, ...new Uint8Array(pad(header.length) - header.length), ...data]);
}

/** What every model says. */
export function described(architecture = 'rwkv7', layers = 1, headSize = 2): number[][] {
  return [
    value.string('general.architecture', architecture),
    value.u32(`${architecture}.block_count`, layers),
    value.u32(`${architecture}.wkv.head_size`, headSize),
  ];
}
