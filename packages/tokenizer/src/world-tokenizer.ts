import { decodeBytes } from './decode-bytes.ts';
import { badVocabulary, checkToken } from './errors.ts';
import type { BytesTokenizer } from './tokenizer.ts';
import { Trie } from './trie.ts';
import { escapeToken, unescapeToken } from './vocabulary/escaped-token.ts';
import { MOST_TOKENS, type PackedVocabulary, VocabularyBuilder } from './vocabulary/packed.ts';
import { parseVocabulary } from './vocabulary/vocabulary-file.ts';

/** Rows of the embedding of World models: 65,529 entries, the end of text, and six that stand for nothing. */
const WORLD_VOCABULARY_SIZE = 65_536;
const END_OF_TEXT = 0;

/** `tokenizer.ggml.token_type`. */
const [NORMAL, UNKNOWN, CONTROL, UNUSED] = [1, 2, 3, 5];
/** No text becomes these, and they are no text. */
const NOT_TEXT: ReadonlySet<number> = new Set([UNKNOWN, CONTROL, UNUSED]);

/** A token id, 1 or more, and its text or bytes. */
export type VocabularyEntry = readonly [id: number, token: string | Uint8Array];

/**
 * The tokenizer of RWKV World models: at every place the longest entry that matches.
 *
 * @param vocabulary The text of the official file (`rwkv_vocab_v20230424.txt`), or its entries. Every single byte must
 *   be an entry. Id 0 is the end of text and has none.
 * @param vocabularySize The model's, 65,536 by default. Ids without an entry decode to nothing.
 * @throws ReceptanceError `BAD_VOCABULARY`, naming the line
 */
export function worldTokenizer(
  vocabulary: string | Iterable<VocabularyEntry>,
  vocabularySize: number = WORLD_VOCABULARY_SIZE,
): BytesTokenizer {
  checkSize(vocabularySize);
  const builder = typeof vocabulary === 'string' ? parseVocabulary(vocabulary) : collect(vocabulary);
  return tokenizerOf(builder.pack(vocabularySize), END_OF_TEXT);
}

export interface WorldTokensOptions {
  /** `tokenizer.ggml.token_type`, one for each token. Without it token 0 and placeholders, `[PAD600]`, are not text. */
  readonly types?: ArrayLike<number> | undefined;
  /** `tokenizer.ggml.eos_token_id`; 0 by default. */
  readonly endOfText?: number | undefined;
}

/**
 * The World tokenizer of a GGUF file whose `tokenizer.ggml.model` is `rwkv`.
 *
 * @param tokens `tokenizer.ggml.tokens`: token `i` is the string at `i`, escaped as the file has it.
 * @throws ReceptanceError `BAD_VOCABULARY`, naming the token
 */
export function worldTokenizerFromTokens(
  tokens: readonly string[],
  { types, endOfText = END_OF_TEXT }: WorldTokensOptions = {},
): BytesTokenizer {
  checkSize(tokens.length);
  if (types !== undefined && types.length !== tokens.length) {
    throw badVocabulary(
      `${types.length} token types are given for ${tokens.length} tokens`,
      'give a type for each token',
    );
  }
  checkToken(endOfText, tokens.length);
  const builder = new VocabularyBuilder('token ');
  for (const [id, token] of tokens.entries()) {
    const type = types?.[id];
    const text = type === undefined ? id !== endOfText && token !== `[PAD${id}]` : !NOT_TEXT.has(type);
    if (text) builder.add(id, unescapeToken(token, `token ${id}`), id);
  }
  return tokenizerOf(builder.pack(tokens.length), endOfText);
}

/** The tokenizer section of a GGUF file, as `worldTokenizerFromTokens` and llama.cpp read it. */
export interface WorldTokens {
  /** `tokenizer.ggml.model` */
  readonly model: 'rwkv';
  readonly tokens: readonly string[];
  readonly types: readonly number[];
  readonly endOfText: number;
}

/**
 * What a GGUF file says of a World tokenizer.
 * @param vocabularySize the model's, by default the tokenizer's: ids without an entry are padding
 * @throws ReceptanceError `BAD_VOCABULARY` if an entry or the end of text is beyond the model's, or there is no end of text
 */
export function worldTokens(tokenizer: BytesTokenizer, vocabularySize: number = tokenizer.vocabularySize): WorldTokens {
  checkSize(vocabularySize);
  const { endOfText } = tokenizer;
  // Where a file does not name the end, its readers take token 0, which may be another.
  if (endOfText === undefined) throw badVocabulary('it has no end of text', 'give a tokenizer that has one');
  for (let id = vocabularySize; id < tokenizer.vocabularySize; id++) {
    if (id === endOfText || tokenizer.bytes(id).length > 0) {
      throw badVocabulary(`token ${id} is outside`, `the model has ${vocabularySize} tokens: give its own vocabulary`);
    }
  }
  const tokens: string[] = [];
  const types: number[] = [];
  for (let id = 0; id < vocabularySize; id++) {
    const bytes = id < tokenizer.vocabularySize ? tokenizer.bytes(id) : new Uint8Array();
    const isEnd = id === endOfText;
    tokens.push(bytes.length > 0 ? escapeToken(bytes) : isEnd ? '<s>' : `[PAD${id}]`);
    types.push(bytes.length > 0 ? NORMAL : isEnd ? CONTROL : UNUSED);
  }
  return { model: 'rwkv', tokens, types, endOfText };
}

function collect(entries: Iterable<VocabularyEntry>): VocabularyBuilder {
  const builder = new VocabularyBuilder('entry ');
  const encoder = new TextEncoder();
  let place = 0;
  for (const [id, token] of entries) {
    place++;
    if (id === END_OF_TEXT)
      throw badVocabulary(`entry ${place}: token 0 is the end of text`, 'ids of entries begin at 1');
    builder.add(id, typeof token === 'string' ? encoder.encode(token) : token, place);
  }
  return builder;
}

function checkSize(size: number): void {
  if (Number.isInteger(size) && size > 0 && size <= MOST_TOKENS) return;
  throw badVocabulary(`a vocabulary cannot have ${size} tokens`, `give 1 to ${MOST_TOKENS}`);
}

function tokenizerOf(vocabulary: PackedVocabulary, endOfText: number): BytesTokenizer {
  const trie = new Trie(vocabulary);
  const { bytes, offsets, size } = vocabulary;
  const encoder = new TextEncoder();
  const entry = (id: number) => {
    checkToken(id, size);
    return bytes.subarray(offsets[id], offsets[id + 1]);
  };
  return {
    vocabularySize: size,
    endOfText,
    encode: (text) => trie.encode(typeof text === 'string' ? encoder.encode(text) : text),
    decode: (ids) => decodeBytes(Array.from(ids, entry)),
    bytes: (id) => entry(id).slice(),
  };
}
