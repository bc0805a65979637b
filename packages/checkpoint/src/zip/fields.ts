import { badZip } from './errors.ts';

/** Little-endian fields of a zip record, one after the other; none is read beyond the end. */
export class Fields {
  readonly #file: string;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(file: string, bytes: Uint8Array) {
    this.#file = file;
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  get left(): number {
    return this.#bytes.length - this.#at;
  }

  u16(): number {
    return this.#view.getUint16(this.#advance(2), true);
  }

  u32(): number {
    return this.#view.getUint32(this.#advance(4), true);
  }

  u64(): number {
    const value = Number(this.#view.getBigUint64(this.#advance(8), true));
    if (!Number.isSafeInteger(value)) throw badZip(this.#file, `it holds the number ${value}, larger than any file`);
    return value;
  }

  text(length: number): string {
    const start = this.#advance(length);
    return new TextDecoder().decode(this.#bytes.subarray(start, start + length));
  }

  sub(length: number): Fields {
    const start = this.#advance(length);
    return new Fields(this.#file, this.#bytes.subarray(start, start + length));
  }

  skip(length: number): void {
    this.#advance(length);
  }

  #advance(length: number): number {
    if (length > this.left) throw badZip(this.#file, 'a record of it ends early');
    const start = this.#at;
    this.#at += length;
    return start;
  }
}
