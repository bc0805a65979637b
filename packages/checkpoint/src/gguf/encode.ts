import type { TensorInfo } from '@receptance/core';
import { ALIGNMENT, TENSOR_TYPES, VALUE } from './types.ts';

export type MetadataEntry =
  | { readonly key: string; readonly type: 'string'; readonly value: string }
  | { readonly key: string; readonly type: 'u32' | 'f32'; readonly value: number }
  | { readonly key: string; readonly type: 'strings'; readonly value: readonly string[] }
  | { readonly key: string; readonly type: 'i32s'; readonly value: readonly number[] };

interface NamedTensor {
  readonly name: string;
  readonly info: TensorInfo;
}

const VERSION = 3;

/** Everything before the data, padded to where they begin. Tensors follow one another, each padded to the alignment. */
export function encodeHeader(metadata: readonly MetadataEntry[], tensors: readonly NamedTensor[]): Uint8Array {
  const out = new Bytes();
  out.text('GGUF');
  out.u32(VERSION);
  out.u64(tensors.length);
  out.u64(metadata.length);
  for (const entry of metadata) encodeEntry(out, entry);
  let offset = 0;
  for (const { name, info } of tensors) {
    out.string(name);
    out.u32(info.shape.length);
    for (const size of info.shape.toReversed()) out.u64(size);
    out.u32(typeNumber(info));
    out.u64(offset);
    offset = padded(offset + info.bytes);
  }
  return out.take(padded(out.length));
}

function padded(size: number): number {
  return Math.ceil(size / ALIGNMENT) * ALIGNMENT;
}

function typeNumber({ dtype }: TensorInfo): number {
  for (const [number, type] of TENSOR_TYPES) if (type.dtype === dtype) return number;
  throw new RangeError(`GGUF files hold no ${dtype}`);
}

function encodeEntry(out: Bytes, entry: MetadataEntry): void {
  out.string(entry.key);
  switch (entry.type) {
    case 'string':
      out.u32(VALUE.string);
      return out.string(entry.value);
    case 'u32':
      out.u32(VALUE.u32);
      return out.u32(entry.value);
    case 'f32':
      out.u32(VALUE.f32);
      return out.f32(entry.value);
    case 'strings':
      out.u32(VALUE.array);
      out.u32(VALUE.string);
      out.u64(entry.value.length);
      for (const text of entry.value) out.string(text);
      return;
    case 'i32s':
      out.u32(VALUE.array);
      out.u32(VALUE.i32);
      out.u64(entry.value.length);
      for (const number of entry.value) out.i32(number);
  }
}

/** Little-endian fields, one after the other. */
class Bytes {
  #bytes = new Uint8Array(2 ** 16);
  #view = new DataView(this.#bytes.buffer);
  length = 0;

  text(text: string): void {
    const bytes = new TextEncoder().encode(text);
    this.#bytes.set(bytes, this.#grow(bytes.length));
  }

  string(text: string): void {
    this.u64(new TextEncoder().encode(text).length);
    this.text(text);
  }

  u32(value: number): void {
    this.#view.setUint32(this.#grow(4), value, true);
  }

  i32(value: number): void {
    this.#view.setInt32(this.#grow(4), value, true);
  }

  f32(value: number): void {
    this.#view.setFloat32(this.#grow(4), value, true);
  }

  u64(value: number): void {
    this.#view.setBigUint64(this.#grow(8), BigInt(value), true);
  }

  /** All of it, with zeros up to `length`. */
  take(length: number): Uint8Array {
    this.#grow(length - this.length);
    return this.#bytes.slice(0, length);
  }

  #grow(by: number): number {
    const at = this.length;
    this.length += by;
    if (this.length > this.#bytes.length) {
      const larger = new Uint8Array(this.length * 2);
      larger.set(this.#bytes.subarray(0, at));
      this.#bytes = larger;
      this.#view = new DataView(larger.buffer);
    }
    return at;
  }
}
