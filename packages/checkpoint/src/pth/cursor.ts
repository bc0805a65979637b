import { badPickle } from './errors.ts';

/** The longest module or attribute name that a GLOBAL may give. */
const LONGEST_LINE = 256;

/** Reads a pickle's bytes in order. Every length is checked against what is left before anything is made from it. */
export class Cursor {
  readonly file: string;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  #at = 0;

  constructor(file: string, bytes: Uint8Array) {
    this.file = file;
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  get at(): number {
    return this.#at;
  }

  u8(): number {
    return this.#view.getUint8(this.#advance(1));
  }

  u16(): number {
    return this.#view.getUint16(this.#advance(2), true);
  }

  u32(): number {
    return this.#view.getUint32(this.#advance(4), true);
  }

  i32(): number {
    return this.#view.getInt32(this.#advance(4), true);
  }

  /** Big-endian, as opposed to everything else in a pickle. */
  f64(): number {
    return this.#view.getFloat64(this.#advance(8), false);
  }

  /** Little-endian two's complement; a bigint only where a number would not be exact. */
  integer(length: number): number | bigint {
    const start = this.#advance(length);
    let value = 0n;
    for (const byte of this.#bytes.slice(start, start + length).reverse()) value = (value << 8n) | BigInt(byte);
    value = BigInt.asIntN(8 * length, value);
    const number = Number(value);
    return Number.isSafeInteger(number) ? number : value;
  }

  text(length: number): string {
    const start = this.#advance(length);
    try {
      return this.#decoder.decode(this.#bytes.subarray(start, start + length));
    } catch {
      throw badPickle(this.file, `a string at byte ${start} is not UTF-8`);
    }
  }

  line(): string {
    const end = this.#bytes.subarray(this.#at, this.#at + LONGEST_LINE).indexOf(0x0a);
    if (end === -1) throw badPickle(this.file, `the name at byte ${this.#at} does not end`);
    const line = this.text(end);
    this.#advance(1);
    return line;
  }

  #advance(length: number): number {
    if (length > this.#bytes.length - this.#at) {
      throw badPickle(this.file, `it ends early: ${length} bytes are wanted at byte ${this.#at}`);
    }
    const start = this.#at;
    this.#at += length;
    return start;
  }
}
