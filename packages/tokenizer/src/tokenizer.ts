/** Text to token ids and back. */
export interface Tokenizer {
  /** Ids are whole numbers from 0 to below this. */
  readonly vocabularySize: number;
  /** The id at which generating stops, if there is one. */
  readonly endOfText: number | undefined;
  /** A lone surrogate becomes U+FFFD, as in `TextEncoder`. */
  encode(text: string): number[];
  /**
   * What is not UTF-8 becomes U+FFFD, as in `TextDecoder`; a byte order mark is kept.
   * @throws ReceptanceError `TOKEN_OUT_OF_RANGE`
   */
  decode(ids: Iterable<number>): string;
  /**
   * The bytes a token stands for, which need not be whole characters.
   * @throws ReceptanceError `TOKEN_OUT_OF_RANGE`
   */
  bytes(id: number): Uint8Array;
}

/** A tokenizer whose tokens are runs of bytes, so that it also encodes what is not UTF-8. */
export interface BytesTokenizer extends Tokenizer {
  encode(text: string | Uint8Array): number[];
}
