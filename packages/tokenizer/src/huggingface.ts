import { Tokenizer as Library } from '@huggingface/tokenizers';
import { ReceptanceError } from '@receptance/core';
import { decodeBytes } from './decode-bytes.ts';
import { checkToken } from './errors.ts';
import { bad, readTokenizerFile, type TokenizerFile } from './huggingface/file.ts';
import type { Tokenizer } from './tokenizer.ts';

export interface HuggingFaceOptions {
  /** The id, or the text of a token, at which generating stops. By default `<|endoftext|>` or `</s>` if it is special. */
  readonly endOfText?: number | string | undefined;
  /** The model's, where its embedding has more rows than there are tokens. Ids without a token decode to nothing. */
  readonly vocabularySize?: number | undefined;
}

/** The part of the library that is used. */
interface Encoder {
  encode(text: string, options: { add_special_tokens: boolean }): { ids: readonly (number | undefined)[] };
}

/**
 * The tokenizer of a Hugging Face `tokenizer.json`: BPE over bytes, as of RWKV-4's Pile models, or BPE with byte
 * fallback. Nothing is put before or after a text. Added tokens in a text become their ids, special ones too.
 *
 * @param json The text of the file, or what JSON it holds.
 * @throws ReceptanceError `BAD_TOKENIZER`, `TOKENIZER_UNSUPPORTED`
 */
export function huggingFaceTokenizer(json: unknown, options: HuggingFaceOptions = {}): Tokenizer {
  const file = readTokenizerFile(json);
  const encoder = open(file);
  const vocabularySize = sizeOf(file, options.vocabularySize);
  const bytes = (id: number) => {
    checkToken(id, vocabularySize);
    return file.bytes.get(id)?.slice() ?? new Uint8Array(0);
  };
  return {
    vocabularySize,
    endOfText: endOfText(file, options.endOfText, vocabularySize),
    encode: (text) => encode(encoder, text),
    decode: (ids) => decodeBytes(Array.from(ids, bytes)),
    bytes,
  };
}

function open({ json }: TokenizerFile): Encoder {
  const absent = { decoder: null, post_processor: null, pre_tokenizer: null, normalizer: null, added_tokens: [] };
  try {
    return new Library({ ...absent, ...json }, {});
  } catch (cause) {
    throw bad(cause instanceof Error ? cause.message : String(cause), cause);
  }
}

function encode(encoder: Encoder, text: string): number[] {
  // Lone surrogates become U+FFFD, as in every other tokenizer here.
  const wellFormed = new TextDecoder('utf-8', { ignoreBOM: true }).decode(new TextEncoder().encode(text));
  return encoder.encode(wellFormed, { add_special_tokens: false }).ids.map((id) => {
    if (id !== undefined) return id;
    throw new ReceptanceError('TEXT_NOT_ENCODABLE', 'tokenizer.json has no tokens for a part of the text', {
      hint: 'its pre_tokenizer makes characters that its vocabulary lacks: use the file the model was published with',
    });
  });
}

function sizeOf({ bytes }: TokenizerFile, wanted: number | undefined): number {
  let size = 0;
  for (const id of bytes.keys()) size = Math.max(size, id + 1);
  if (wanted === undefined) return size;
  if (Number.isInteger(wanted) && wanted >= size) return wanted;
  throw bad(`it has ${size} tokens, more than the vocabulary of ${wanted}`);
}

function endOfText({ special }: TokenizerFile, wanted: number | string | undefined, size: number): number | undefined {
  if (wanted === undefined) return special.get('<|endoftext|>') ?? special.get('</s>');
  const id = typeof wanted === 'number' ? wanted : special.get(wanted);
  if (id === undefined) throw bad(`${JSON.stringify(wanted)} is no special token`);
  checkToken(id, size);
  return id;
}
