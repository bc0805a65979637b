import { checkToken } from './errors.ts';
import type { BytesTokenizer } from './tokenizer.ts';

const VOCABULARY_SIZE = 256;

/**
 * Every id is a byte of UTF-8. Id 0 is also the end of text: generating stops there, and text that holds U+0000
 * cannot be told from text that ends.
 */
export function byteTokenizer(): BytesTokenizer {
  return {
    vocabularySize: VOCABULARY_SIZE,
    endOfText: 0,
    encode: (text) => Array.from(typeof text === 'string' ? new TextEncoder().encode(text) : text),
    decode(ids) {
      const bytes = Uint8Array.from(ids, (id) => {
        checkToken(id, VOCABULARY_SIZE);
        return id;
      });
      return new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);
    },
    bytes(id) {
      checkToken(id, VOCABULARY_SIZE);
      return Uint8Array.of(id);
    },
  };
}
