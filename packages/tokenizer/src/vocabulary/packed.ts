import { badVocabulary } from '../errors.ts';

/** The official vocabulary's longest entry has 128 bytes. Encoding n bytes takes at most n times this many steps. */
export const LONGEST_ENTRY = 1024;
/** Far above any vocabulary there is, and small enough for tables by id. */
export const MOST_TOKENS = 1_048_576;

/** Token id → its bytes, in two arrays. An id without an entry has none. */
export interface PackedVocabulary {
  /** Entries one after the other, by id. */
  readonly bytes: Uint8Array;
  /** [size + 1]: token `id` is `bytes[offsets[id] … offsets[id + 1])`. */
  readonly offsets: Uint32Array;
  readonly size: number;
  /** Where a token was written, for messages: `line 12`. */
  readonly where: (id: number) => string;
}

/** Takes entries in any order and refuses an id that comes twice. */
export class VocabularyBuilder {
  readonly #starts: number[] = [];
  readonly #ends: number[] = [];
  readonly #where: (string | number)[] = [];
  readonly #prefix: string;
  #bytes = new Uint8Array(1 << 12);
  #length = 0;

  /** `prefix` stands before the place in messages, e.g. `line `. */
  constructor(prefix: string) {
    this.#prefix = prefix;
  }

  /** Copies `bytes`. @throws ReceptanceError `BAD_VOCABULARY` */
  add(id: number, bytes: Uint8Array, place: number): void {
    const where = `${this.#prefix}${place}`;
    if (!Number.isInteger(id) || id < 0 || id >= MOST_TOKENS) {
      throw badVocabulary(`${where}: ${id} is no token id`, `ids are whole numbers below ${MOST_TOKENS}`);
    }
    if (bytes.length === 0 || bytes.length > LONGEST_ENTRY) {
      throw badVocabulary(
        `${where}: token ${id} has ${bytes.length} bytes`,
        `an entry has 1 to ${LONGEST_ENTRY} bytes`,
      );
    }
    const before = this.#where[id];
    if (before !== undefined)
      throw badVocabulary(`${where}: token ${id} was given before, in ${this.#prefix}${before}`);
    const end = this.#length + bytes.length;
    if (end > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(end, 2 * this.#bytes.length));
      larger.set(this.#bytes.subarray(0, this.#length));
      this.#bytes = larger;
    }
    this.#bytes.set(bytes, this.#length);
    this.#starts[id] = this.#length;
    this.#ends[id] = end;
    this.#where[id] = place;
    this.#length = end;
  }

  /** @throws ReceptanceError `BAD_VOCABULARY` when an id is not below `size` */
  pack(size: number): PackedVocabulary {
    if (this.#starts.length > size) {
      const id = this.#starts.length - 1;
      throw badVocabulary(
        `${this.#prefix}${this.#where[id]}: token ${id} is outside a vocabulary of ${size}`,
        'say how large the vocabulary of the model is: vocabularySize',
      );
    }
    const bytes = new Uint8Array(this.#length);
    const offsets = new Uint32Array(size + 1);
    let at = 0;
    for (let id = 0; id < size; id++) {
      const entry = this.#bytes.subarray(this.#starts[id] ?? 0, this.#ends[id] ?? 0);
      bytes.set(entry, at);
      at += entry.length;
      offsets[id + 1] = at;
    }
    return { bytes, offsets, size, where: (id) => `${this.#prefix}${this.#where[id] ?? id}` };
  }
}
