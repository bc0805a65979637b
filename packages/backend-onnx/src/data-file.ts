import { writeSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import {
  type AbortSignalLike,
  BLOCKS,
  byteLength,
  checkFinite,
  halfToNumber,
  narrow,
  type ParameterEntry,
  Staging,
  transposeMatrix,
  type WeightSource,
  widenedPieces,
} from '@receptance/core';
import { BLOCK_SIZE, type DataFile, type Range, type StoredTensor } from './lowering/stored.ts';
import { writing } from './writing.ts';

/** So that a runtime can map a tensor as it lies. */
const ALIGNMENT = 4096;
/** Blocks read at a time. */
const PIECE_BLOCKS = 16_384;
/** Bytes of a matrix that are turned at a time. */
const BAND_BYTES = 16 << 20;

export interface DataFileOptions {
  /** What to do where the file cannot be written. */
  readonly remedy: string;
  /** Blocks as signed numbers for `DequantizeLinear`, not unsigned ones for `MatMulNBits`. */
  readonly signed: boolean;
  /** Numbers of 16 bits as they are, to be widened by the model; else they are widened in the file. */
  readonly keepHalves: boolean;
  /** Parameters that rows are picked from: in signed form these take 8 bits, since no runtime picks rows of 4. */
  readonly tables?: ReadonlySet<string>;
  /** Matrices that lie column by column, where they are not in blocks. */
  readonly turned?: ReadonlySet<string>;
  readonly signal?: AbortSignalLike | undefined;
  /** Told how many bytes of the file are written. */
  readonly onBytes?: (done: number) => void;
}

/**
 * Writes parameters to a file, piece by piece: no more than some 40 MB of a tensor are in memory. Types without a form
 * in the file are widened to f32, which is exact.
 * @throws ReceptanceError `WRITE_FAILED`, `NOT_FINITE`, and what the source throws
 */
export async function writeDataFile(
  path: string,
  name: string,
  entries: readonly ParameterEntry[],
  source: WeightSource,
  options: DataFileOptions,
): Promise<DataFile> {
  const { tensors, middles, bytes } = layOut(entries, options);
  const file = await writing(path, options.remedy, () => open(path, 'w'));
  try {
    const writer = new Writer(path, file, options);
    for (const entry of entries) {
      const stored = tensors.get(entry.name);
      if (stored !== undefined) await writer.write(entry, stored, source);
    }
    await writer.writeMiddles(middles);
    // The last tensor may end before its page does.
    await writing(path, options.remedy, () => file.truncate(bytes));
  } finally {
    await writing(path, options.remedy, () => file.close());
  }
  return { file: name, tensors, middles };
}

/** Bytes of the file that `writeDataFile` makes. */
export function dataFileBytes(entries: readonly ParameterEntry[], options: DataFileOptions): number {
  return layOut(entries, options).bytes;
}

function layOut(
  entries: readonly ParameterEntry[],
  options: DataFileOptions,
): { readonly tensors: Map<string, StoredTensor>; readonly middles: Map<4 | 8, Range>; readonly bytes: number } {
  let end = 0;
  const take = (length: number): Range => {
    const offset = Math.ceil(end / ALIGNMENT) * ALIGNMENT;
    end = offset + length;
    return { offset, length };
  };
  const tensors = new Map(entries.map((entry) => [entry.name, formOf(entry, options, take)] as const));
  const middles = new Map<4 | 8, Range>();
  for (const bits of [8, 4] as const) {
    const lengths = [...tensors.values()].map((stored) => {
      const isMeant = stored.kind === 'blocks' && stored.bits === bits && !stored.signed;
      return isMeant ? Math.ceil(stored.data.length / BLOCK_SIZE) : 0;
    });
    const longest = Math.max(0, ...lengths);
    if (longest > 0) middles.set(bits, take(longest));
  }
  return { tensors, middles, bytes: end };
}

function formOf(entry: ParameterEntry, options: DataFileOptions, take: (length: number) => Range): StoredTensor {
  const { value, shape, elements, stored } = entry;
  const { signed, keepHalves, tables } = options;
  const [rows = 1, columns = 1] = shape;
  const isBlocks = stored?.dtype === 'q8_0' || stored?.dtype === 'q4_0';
  if (isBlocks && value.dtype === stored.dtype && shape.length === 2 && columns % BLOCK_SIZE === 0) {
    const bits = stored.dtype === 'q8_0' || (signed && tables?.has(entry.name)) ? 8 : 4;
    const scales = (elements / BLOCK_SIZE) * 4;
    return {
      kind: 'blocks',
      bits,
      signed,
      shape: [rows, columns],
      data: take((elements * bits) / 8),
      scales: take(scales),
    };
  }
  const isHalf = value.dtype === 'f16' || value.dtype === 'bf16';
  if (isHalf && keepHalves) {
    const type = value.dtype === 'f16' ? 'float16' : 'bfloat16';
    return { kind: 'plain', type, shape, turned: false, data: take(elements * 2) };
  }
  const type = value.dtype === 'i32' ? 'int32' : 'float32';
  return { kind: 'plain', type, shape, turned: options.turned?.has(entry.name) ?? false, data: take(elements * 4) };
}

class Writer {
  readonly #path: string;
  readonly #file: FileHandle;
  readonly #options: DataFileOptions;
  readonly #staging = new Staging();
  readonly #band = new Staging();
  readonly #turned = new Staging();
  readonly #numbers = new Uint8Array(PIECE_BLOCKS * BLOCK_SIZE);
  readonly #scales = new Float32Array(PIECE_BLOCKS);
  #done = 0;

  constructor(path: string, file: FileHandle, options: DataFileOptions) {
    this.#path = path;
    this.#file = file;
    this.#options = options;
  }

  async write(entry: ParameterEntry, stored: StoredTensor, source: WeightSource): Promise<void> {
    if (stored.kind === 'blocks') return await this.#writeBlocks(entry, stored, source);
    if (stored.turned) return await this.#writeTurned(entry, stored.data, source);
    if (stored.type === 'float32' || stored.type === 'int32') {
      return await this.#writePlain(entry, stored.data, stored.type, source);
    }
    await this.#writeHalves(entry, stored.data, source);
  }

  async #writePlain({ name }: ParameterEntry, { offset }: Range, type: string, source: WeightSource): Promise<void> {
    const dtype = type === 'int32' ? 'i32' : 'f32';
    for await (const { offset: element, data } of widenedPieces(
      source,
      name,
      dtype,
      this.#options.signal,
      this.#staging,
    )) {
      await this.#put(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), offset + element * 4);
    }
  }

  /** Band by band of rows, each of which is a piece of every column. */
  async #writeTurned({ name, shape }: ParameterEntry, { offset }: Range, source: WeightSource): Promise<void> {
    const [rows = 0, columns = 0] = shape;
    const most = Math.min(rows, Math.max(1, Math.floor(BAND_BYTES / 4 / columns)));
    const band = floats(this.#band, most * columns);
    const turned = floats(this.#turned, most * columns);
    let [first, filled] = [0, 0];
    for await (const { data } of widenedPieces(source, name, 'f32', this.#options.signal, this.#staging)) {
      for (let at = 0; at < data.length; ) {
        const taken = Math.min(data.length - at, band.length - filled);
        band.set(data.subarray(at, at + taken), filled);
        [at, filled] = [at + taken, filled + taken];
        const count = filled / columns;
        if (filled < band.length && first + count < rows) continue;
        transposeMatrix(band, turned, count, columns);
        await this.#putColumns(turned, { first, count, rows, columns }, offset);
        [first, filled] = [first + count, 0];
      }
    }
  }

  /** Elements of so many rows from the first on, column after column. */
  async #putColumns(
    numbers: Float32Array<ArrayBuffer>,
    { first, count, rows, columns }: Readonly<Record<'first' | 'count' | 'rows' | 'columns', number>>,
    offset: number,
  ): Promise<void> {
    if (count === rows) return await this.#put(new Uint8Array(numbers.buffer, 0, rows * columns * 4), offset);
    await this.#writing(() => {
      for (let column = 0; column < columns; column++) {
        const piece = new Uint8Array(numbers.buffer, column * count * 4, count * 4);
        this.#putNow(piece, offset + (column * rows + first) * 4);
      }
    });
    this.#told(columns * count * 4);
  }

  async #writeHalves({ name, value }: ParameterEntry, { offset }: Range, source: WeightSource): Promise<void> {
    const dtype = value.dtype === 'f16' ? 'f16' : 'bf16';
    for await (const { offset: element, data } of widenedPieces(
      source,
      name,
      'f32',
      this.#options.signal,
      this.#staging,
    )) {
      if (data instanceof Float32Array) await this.#put(narrow(name, dtype, data, element), offset + element * 2);
    }
  }

  async #writeBlocks(
    { name, elements, stored }: ParameterEntry,
    { bits, signed, data, scales }: Extract<StoredTensor, { kind: 'blocks' }>,
    source: WeightSource,
  ): Promise<void> {
    const from = stored?.dtype === 'q4_0' ? 'q4_0' : 'q8_0';
    const block = BLOCKS[from].bytes;
    const total = byteLength(from, elements) / block;
    const middle = signed ? 0 : from === 'q8_0' ? 128 : 8;
    for (let first = 0; first < total; first += PIECE_BLOCKS) {
      this.#options.signal?.throwIfAborted();
      const last = Math.min(total, first + PIECE_BLOCKS);
      const range = { start: first * block, end: last * block };
      const room = this.#staging.bytes(range.end - range.start);
      const bytes = await source.read(name, range, this.#options.signal, room);
      const numbers = this.#numbers.subarray(0, (last - first) * BLOCK_SIZE);
      const scale = this.#scales.subarray(0, last - first);
      (from === 'q8_0' ? unpack8 : unpack4)(bytes, middle, numbers, scale);
      checkFinite(name, scale, first);
      await this.#put(bits === 4 ? packed(numbers) : numbers, data.offset + (first * BLOCK_SIZE * bits) / 8);
      await this.#put(new Uint8Array(scale.buffer, 0, scale.byteLength), scales.offset + first * 4);
    }
  }

  async writeMiddles(middles: ReadonlyMap<4 | 8, Range>): Promise<void> {
    for (const [bits, { offset, length }] of middles)
      await this.#put(new Uint8Array(length).fill(bits === 8 ? 0x80 : 0x88), offset);
  }

  async #put(bytes: Uint8Array, offset: number): Promise<void> {
    await this.#writing(async () => {
      for (let at = 0; at < bytes.length; ) {
        const { bytesWritten } = await this.#file.write(bytes, at, bytes.length - at, offset + at);
        at += bytesWritten;
      }
    });
    this.#told(bytes.length);
  }

  /** Many small pieces: to wait for each would take several times as long. */
  #putNow(bytes: Uint8Array, offset: number): void {
    for (let at = 0; at < bytes.length; ) at += writeSync(this.#file.fd, bytes, at, bytes.length - at, offset + at);
  }

  #writing(task: () => void | Promise<void>): Promise<void> {
    return writing(this.#path, this.#options.remedy, task);
  }

  #told(bytes: number): void {
    this.#done += bytes;
    this.#options.onBytes?.(this.#done);
  }
}

function floats(staging: Staging, count: number): Float32Array<ArrayBuffer> {
  return new Float32Array(staging.bytes(count * 4).buffer, 0, count);
}

/** Blocks of an f16 scale and 32 signed bytes, to numbers about a middle: about 0 they are signed. */
function unpack8(bytes: Uint8Array, middle: number, numbers: Uint8Array, scales: Float32Array): void {
  const count = bytes.length / BLOCKS.q8_0.bytes;
  for (let i = 0; i < count; i++) {
    const at = i * BLOCKS.q8_0.bytes;
    scales[i] = half(bytes, at);
    for (let j = 0; j < BLOCK_SIZE; j++) numbers[i * BLOCK_SIZE + j] = (bytes[at + 2 + j] ?? 0) + middle;
  }
}

/** Blocks of an f16 scale and 16 bytes: the lower bits are the first half, the upper the second, about 8. */
function unpack4(bytes: Uint8Array, middle: number, numbers: Uint8Array, scales: Float32Array): void {
  const count = bytes.length / BLOCKS.q4_0.bytes;
  for (let i = 0; i < count; i++) {
    const at = i * BLOCKS.q4_0.bytes;
    scales[i] = half(bytes, at);
    for (let j = 0; j < BLOCK_SIZE / 2; j++) {
      const both = bytes[at + 2 + j] ?? 0;
      numbers[i * BLOCK_SIZE + j] = (both & 15) - 8 + middle;
      numbers[i * BLOCK_SIZE + BLOCK_SIZE / 2 + j] = (both >> 4) - 8 + middle;
    }
  }
}

function half(bytes: Uint8Array, at: number): number {
  return halfToNumber((bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8));
}

/** Two numbers a byte, the first in the lower bits, in the first half of what held them. */
function packed(numbers: Uint8Array): Uint8Array {
  const bytes = numbers.subarray(0, numbers.length / 2);
  for (let i = 0; i < bytes.length; i++) {
    bytes[i] = ((numbers[2 * i] ?? 0) & 15) | (((numbers[2 * i + 1] ?? 0) & 15) << 4);
  }
  return bytes;
}
