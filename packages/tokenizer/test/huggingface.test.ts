import { ReceptanceError } from '@receptance/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { huggingFaceTokenizer } from '../src/huggingface.ts';
import { StreamingDecoder, type Tokenizer } from '../src/index.ts';
import { byteFallback, byteLevel } from './support/huggingface.ts';
import { anyText } from './support/world.ts';

const level = huggingFaceTokenizer(JSON.stringify(byteLevel()));
const fallback = huggingFaceTokenizer(byteFallback());

function streamed(tokenizer: Tokenizer, ids: readonly number[]): string {
  const decoder = new StreamingDecoder(tokenizer);
  return ids.map((id) => decoder.push(id)).join('') + decoder.flush();
}

/** Were time not in proportion to the text, this would take minutes. */
it('encodes a long run of one letter', () => {
  const json = byteLevel();
  const { model } = json;
  let piece = 'x';
  for (let doubled = 0; doubled < 5; doubled++) {
    model.merges.push(`${piece} ${piece}`);
    piece += piece;
    model.vocab[piece] = 1000 + doubled;
  }
  const ids = huggingFaceTokenizer(JSON.stringify(json)).encode('x'.repeat(2 ** 18));
  expect(ids).toEqual(Array.from({ length: 2 ** 13 }, () => 1004));
});

describe('BPE over bytes', () => {
  // The ids are those of the Python library, tokenizers 0.23.3.
  it.each<[string, number[]]>([
    ['', []],
    ['the', [246]],
    ['the theth', [246, 247, 245]],
    ["it's  the\n\n\nit", [252, 41, 117, 34, 247, 251, 12, 252]],
    ['e\u0301字🚀', [249, 250, 153, 240, 161, 156, 130]],
    ['<字>字<|endoftext|>a', [254, 250, 153, 0, 99]],
    ['        x     y', [253, 253, 122, 253, 34, 123]],
    ['a\ufeffb\u0085 c \ufeff', [99, 239, 189, 193, 100, 194, 135, 34, 101, 34, 239, 189, 193]],
    ['\0של', [2, 215, 171, 215, 158]],
    [' ▁a', [34, 226, 152, 131, 99]],
    ['the字éa\n', [246, 250, 153, 249, 99, 12]],
  ])('encodes %j as the Python library does', (text, ids) => {
    expect(level.encode(text)).toEqual(ids);
    expect(level.decode(ids)).toBe(text.normalize('NFC'));
  });

  it('knows the end of text and its size', () => {
    expect(level.endOfText).toBe(0);
    expect(level.vocabularySize).toBe(255);
    const wider = huggingFaceTokenizer(byteLevel(), { vocabularySize: 300, endOfText: '<|padding|>' });
    expect(wider.vocabularySize).toBe(300);
    expect(wider.endOfText).toBe(1);
    expect(wider.decode([299, 99])).toBe('a');
    expect(huggingFaceTokenizer(byteLevel(), { endOfText: 12 }).endOfText).toBe(12);
    expect(huggingFaceTokenizer({ ...byteLevel(), added_tokens: [] }).endOfText).toBeUndefined();
  });

  it('has the bytes of each token', () => {
    expect(level.bytes(250)).toEqual(Uint8Array.of(0xe5, 0xad));
    expect(level.bytes(253)).toEqual(Uint8Array.of(32, 32, 32, 32));
    expect(level.bytes(254)).toEqual(new TextEncoder().encode('<字>'));
    level.bytes(99).fill(0);
    expect(level.decode([99])).toBe('a');
  });
});

describe('BPE with byte fallback', () => {
  it.each<[string, number[]]>([
    ['', []],
    ['the', [267]],
    ['the theth', [267, 267, 265]],
    ["it's  the\n\n\nit", [259, 108, 260, 42, 118, 259, 267, 13, 13, 13, 108, 260]],
    ['字🚀', [259, 264, 243, 162, 157, 131]],
    ['        x     y', [268, 268, 268, 268, 259, 123, 268, 268, 259, 124]],
    ['a\ufeffb\u0085 c \ufeff', [259, 263, 242, 190, 194, 101, 197, 136, 259, 102, 259, 242, 190, 194]],
    ['\0של', [259, 3, 218, 172, 218, 159]],
    ['the字éa\n', [267, 264, 198, 172, 263, 13]],
  ])('encodes %j as the Python library does', (text, ids) => {
    expect(fallback.encode(text)).toEqual(ids);
    // The space that SentencePiece puts first is a token's, and stays.
    expect(fallback.decode(ids)).toBe(text === '' ? '' : ` ${text}`);
  });

  it('has the bytes of each token', () => {
    expect(fallback.endOfText).toBe(2);
    expect(fallback.bytes(3)).toEqual(Uint8Array.of(0));
    expect(fallback.bytes(258)).toEqual(Uint8Array.of(0xff));
    expect(fallback.bytes(267)).toEqual(new TextEncoder().encode(' the'));
  });
});

describe.each([
  ['over bytes', level, (text: string) => text.normalize('NFC')],
  ['with byte fallback', fallback, (text: string) => (text === '' ? '' : ` ${text}`)],
] as const)('BPE %s', (_name, tokenizer, expected) => {
  it('gives back every text, and streams it by whole characters', () => {
    fc.assert(
      fc.property(fc.oneof(anyText, fc.string({ unit: 'binary' })), (text) => {
        const ids = tokenizer.encode(text);
        expect(tokenizer.decode(ids)).toBe(expected(text));
        const decoder = new StreamingDecoder(tokenizer);
        let soFar = '';
        for (const id of ids) {
          soFar += decoder.push(id);
          expect(expected(text).startsWith(soFar)).toBe(true);
        }
        expect(soFar + decoder.flush()).toBe(expected(text));
      }),
      { numRuns: 500 },
    );
  });

  it('streams any tokens as it decodes them at once', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(tokenizer.vocabularySize - 1)), (ids) => {
        expect(streamed(tokenizer, ids)).toBe(tokenizer.decode(ids));
      }),
      { numRuns: 1000 },
    );
  });

  it('takes a lone surrogate for U+FFFD', () => {
    expect(tokenizer.decode(tokenizer.encode('a\ud800b'))).toBe(expected('a\ufffdb'));
  });

  it.each([-1, 300, 1.5, Number.NaN])('refuses %s as an id', (id) => {
    for (const use of [() => tokenizer.bytes(id), () => tokenizer.decode([65, id])]) {
      expect(use).toThrow(expect.objectContaining({ code: 'TOKEN_OUT_OF_RANGE' }));
    }
  });
});

describe('a file that cannot be taken', () => {
  const json = byteLevel();
  const { model } = json;
  const { A: _, ...withoutA } = model.vocab;
  const sentencePiece = byteFallback();

  it.each<[string, unknown, string, RegExp]>([
    ['no JSON', '{"model":', 'BAD_TOKENIZER', /not JSON/],
    ['a list', [], 'BAD_TOKENIZER', /the file is not an object/],
    ['null', 'null', 'BAD_TOKENIZER', /the file is not an object/],
    ['no model', {}, 'BAD_TOKENIZER', /model is not an object/],
    ['WordPiece', { ...json, model: { ...model, type: 'WordPiece' } }, 'TOKENIZER_UNSUPPORTED', /model is "WordPiece"/],
    ['Unigram', { ...json, model: { type: 'Unigram', vocab: [] } }, 'TOKENIZER_UNSUPPORTED', /model is "Unigram"/],
    ['dropout', { ...json, model: { ...model, dropout: 0.1 } }, 'TOKENIZER_UNSUPPORTED', /has a dropout/],
    ['a suffix', { ...json, model: { ...model, end_of_word_suffix: '</w>' } }, 'TOKENIZER_UNSUPPORTED', /end_of_word/],
    ['no decoder', { ...json, decoder: null }, 'TOKENIZER_UNSUPPORTED', /decoder is none/],
    ['CTC', { ...json, decoder: { type: 'CTC' } }, 'TOKENIZER_UNSUPPORTED', /decoder is "CTC"/],
    ['words not over bytes', { ...json, pre_tokenizer: { type: 'Whitespace' } }, 'TOKENIZER_UNSUPPORTED', /decoder is/],
    ['no fallback', { ...sentencePiece, model }, 'TOKENIZER_UNSUPPORTED', /decoder is/],
    [
      'another replacement',
      { ...sentencePiece, decoder: { type: 'Sequence', decoders: [{ type: 'ByteFallback' }, replace('_')] } },
      'TOKENIZER_UNSUPPORTED',
      /decoder is/,
    ],
    ['a missing byte', { ...json, model: { ...model, vocab: withoutA } }, 'BAD_TOKENIZER', /single bytes: A/],
    ['no vocabulary', { ...json, model: { ...model, vocab: ['a'] } }, 'BAD_TOKENIZER', /model.vocab is not an object/],
    ['a strange token', vocabulary({ 字: 400 }), 'BAD_TOKENIZER', /"字", which is not in the byte-level alphabet/],
    ['an empty token', vocabulary({ '': 400 }), 'BAD_TOKENIZER', /empty token/],
    ['an id twice', vocabulary({ ab: 20 }), 'BAD_TOKENIZER', /have the id 20/],
    ['no id', vocabulary({ ab: '400' }), 'BAD_TOKENIZER', /"ab"\] is "400"/],
    ['a large id', vocabulary({ ab: 2 ** 31 }), 'BAD_TOKENIZER', /is 2147483648, which is no token id/],
    ['a merge of three', merges(['t h e']), 'BAD_TOKENIZER', /"t h e", which is no pair/],
    ['a merge of numbers', merges([[1, 2]]), 'BAD_TOKENIZER', /no pair/],
    ['a merge without a token', merges(['x q']), 'BAD_TOKENIZER', /lacks "xq"/],
    ['merges that are no list', { ...json, model: { ...model, merges: {} } }, 'BAD_TOKENIZER', /merges is not a list/],
    ['an added token without text', { ...json, added_tokens: [{ id: 3 }] }, 'BAD_TOKENIZER', /token 3 has no content/],
    ['an unknown step', { ...json, normalizer: { type: 'Magic' } }, 'BAD_TOKENIZER', /Magic/],
    ['a bad pattern', { ...json, pre_tokenizer: split({ Regex: '(' }) }, 'BAD_TOKENIZER', /./],
    ['an unread pattern', { ...json, pre_tokenizer: split({ Glob: '*' }) }, 'BAD_TOKENIZER', /neither a String nor/],
  ])('is refused: %s', (_name, file, code, message) => {
    const make = () => huggingFaceTokenizer(file);
    expect(make).toThrow(expect.objectContaining({ code, hint: expect.any(String) }));
    expect(make).toThrow(message);
    expect(make).toThrow(expect.toSatisfy(ReceptanceError.isInstance));
  });

  it('is refused where the options do not fit', () => {
    expect(() => huggingFaceTokenizer(json, { vocabularySize: 254 })).toThrow(/255 tokens, more than/);
    expect(() => huggingFaceTokenizer(json, { endOfText: 'a' })).toThrow(/"a" is no special token/);
    expect(() => huggingFaceTokenizer(json, { endOfText: 255 })).toThrow(/255 is no token/);
  });

  it('never loses a part of a text in silence', () => {
    const lossy = huggingFaceTokenizer({
      ...json,
      pre_tokenizer: { type: 'Sequence', pretokenizers: [json.pre_tokenizer, { ...replace('z'), content: '字' }] },
    });
    expect(lossy.encode('a')).toEqual(level.encode('a'));
    expect(() => lossy.encode('az')).toThrow(expect.objectContaining({ code: 'TEXT_NOT_ENCODABLE' }));
  });

  it('gives only ReceptanceErrors, whatever part is put in the place of another', () => {
    const text = JSON.stringify(json);
    const values = fc.constantFrom(
      'null',
      '0',
      '-1',
      '"x"',
      '[]',
      '{}',
      '[[]]',
      '{"type":"Sequence"}',
      '{"type":"Split"}',
    );
    const keys = fc.constantFrom(
      ...[
        'model',
        'decoder',
        'normalizer',
        'pre_tokenizer',
        'added_tokens',
        'vocab',
        'merges',
        'type',
        'content',
        'id',
      ],
    );
    fc.assert(
      fc.property(keys, values, fc.nat(text.length), fc.nat(40), (key, value, at, length) => {
        const replaced = text.replace(new RegExp(`"${key}":("[^"]*"|-?[0-9]+|null|[{[])`), `"${key}":${value},"_":$1`);
        const cut = text.slice(0, at) + text.slice(at + length);
        for (const damaged of [replaced, cut]) {
          try {
            huggingFaceTokenizer(damaged).encode('the 字');
          } catch (error) {
            if (!ReceptanceError.isInstance(error)) throw error;
          }
        }
      }),
      { numRuns: 1000 },
    );
  });

  function vocabulary(more: Record<string, unknown>): unknown {
    return { ...json, model: { ...model, vocab: { ...model.vocab, ...more } } };
  }

  function merges(list: unknown): unknown {
    return { ...json, model: { ...model, merges: list } };
  }

  function replace(text: string): Record<string, unknown> {
    return { type: 'Replace', pattern: { String: text }, content: ' ' };
  }

  function split(pattern: unknown): unknown {
    return { type: 'Sequence', pretokenizers: [{ type: 'Split', pattern, behavior: 'Isolated' }, json.pre_tokenizer] };
  }
});
