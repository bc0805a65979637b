import type { Tokenizer } from './tokenizer.ts';

/**
 * Decodes tokens as they come. Text is given out as soon as it is complete: bytes of a character that is not whole
 * yet are held back. All that it gives out is, put together, what decoding all tokens at once gives.
 */
export class StreamingDecoder {
  readonly #tokenizer: Pick<Tokenizer, 'bytes'>;
  readonly #decoder = new TextDecoder('utf-8', { ignoreBOM: true });

  constructor(tokenizer: Pick<Tokenizer, 'bytes'>) {
    this.#tokenizer = tokenizer;
  }

  /**
   * The text that `id` completes; often empty.
   * @throws ReceptanceError `TOKEN_OUT_OF_RANGE`; the decoder is then as it was before.
   */
  push(id: number): string {
    return this.#decoder.decode(this.#tokenizer.bytes(id), { stream: true });
  }

  /** Ends the text: U+FFFD for a character that was never completed. The next `push` begins a new text. */
  flush(): string {
    return this.#decoder.decode();
  }
}
