import type { AbortSignalLike } from '@receptance/core';
import type { ByteSource } from '../byte-source.ts';
import { readExactly } from '../byte-source.ts';
import { checkpointError } from '../errors.ts';
import { badGguf } from './errors.ts';

/** The vocabulary of a World model takes a little more than one. */
const CHUNK = 2 ** 20;
/** Vocabularies of a quarter million tokens with their merges take less. */
const LONGEST_HEADER = 2 ** 26;

/**
 * The fields of a header, one after the other, read from a source in chunks: how long a header is, it does not say.
 * `need` first, then the fields it has fetched.
 */
export class Cursor {
  readonly #source: ByteSource;
  readonly #signal: AbortSignalLike | undefined;
  #bytes: Uint8Array = new Uint8Array(0);
  #view = new DataView(this.#bytes.buffer);
  /** Where in the file the chunk begins, and where in the chunk the next field. */
  #start = 0;
  #at = 0;

  constructor(source: ByteSource, signal: AbortSignalLike | undefined) {
    this.#source = source;
    this.#signal = signal;
  }

  get file(): string {
    return this.#source.name;
  }

  get position(): number {
    return this.#start + this.#at;
  }

  /** Refuses a file that is too short for the next `bytes` bytes, and a header that is too long with them. */
  check(bytes: number): void {
    const from = this.position;
    if (from + bytes > this.#source.size) {
      throw checkpointError(
        'TRUNCATED_FILE',
        this.file,
        `its header needs ${bytes} bytes from ${from} on, but the file ends at ${this.#source.size}`,
        'the file is not complete: fetch or copy it again',
      );
    }
    if (from + bytes > LONGEST_HEADER) throw badGguf(this.file, `its header is longer than ${LONGEST_HEADER} bytes`);
  }

  /** Makes sure that the next `bytes` bytes are here. */
  async need(bytes: number): Promise<void> {
    if (this.#at + bytes <= this.#bytes.length) return;
    this.check(bytes);
    const from = this.position;
    const rest = this.#bytes.subarray(this.#at);
    const end = Math.min(this.#source.size, LONGEST_HEADER, from + Math.max(bytes, CHUNK));
    const more = await readExactly(this.#source, from + rest.length, end, this.#signal);
    this.#bytes = new Uint8Array(rest.length + more.length);
    this.#bytes.set(rest);
    this.#bytes.set(more, rest.length);
    this.#view = new DataView(this.#bytes.buffer);
    this.#start = from;
    this.#at = 0;
  }

  u8(): number {
    return this.#view.getUint8(this.#advance(1));
  }

  i8(): number {
    return this.#view.getInt8(this.#advance(1));
  }

  u16(): number {
    return this.#view.getUint16(this.#advance(2), true);
  }

  i16(): number {
    return this.#view.getInt16(this.#advance(2), true);
  }

  u32(): number {
    return this.#view.getUint32(this.#advance(4), true);
  }

  i32(): number {
    return this.#view.getInt32(this.#advance(4), true);
  }

  f32(): number {
    return this.#view.getFloat32(this.#advance(4), true);
  }

  f64(): number {
    return this.#view.getFloat64(this.#advance(8), true);
  }

  u64(): bigint {
    return this.#view.getBigUint64(this.#advance(8), true);
  }

  i64(): bigint {
    return this.#view.getBigInt64(this.#advance(8), true);
  }

  /** A length or offset. */
  size(what: string): number {
    const value = this.u64();
    if (value > Number.MAX_SAFE_INTEGER) throw badGguf(this.file, `${what} is ${value}, larger than any file`);
    return Number(value);
  }

  /** Eight bytes of length, then so many of UTF-8. */
  async string(what: string): Promise<string> {
    await this.need(8);
    const length = this.size(`the length of ${what}`);
    await this.need(length);
    const start = this.#advance(length);
    try {
      return UTF8.decode(this.#bytes.subarray(start, start + length));
    } catch (cause) {
      throw badGguf(this.file, `${what} is not UTF-8`, cause);
    }
  }

  skip(bytes: number): void {
    this.#advance(bytes);
  }

  #advance(bytes: number): number {
    const start = this.#at;
    this.#at += bytes;
    return start;
  }
}

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
