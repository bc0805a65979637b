import { ReceptanceError } from '@receptance/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { byteTokenizer } from '../src/index.ts';

const tokenizer = byteTokenizer();
/** Every plane, every length of UTF-8, U+0000 and the byte order mark among them. */
const anyText: fc.Arbitrary<string> = fc.string({
  unit: fc.oneof(
    fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }),
    fc.constantFrom('\0', '\ufeff', '\u{10ffff}', 'é', '字', '👩‍🚀'),
  ),
});

describe('byteTokenizer', () => {
  it('gives the bytes of UTF-8', () => {
    expect(tokenizer.encode('Aé字🚀')).toEqual([0x41, 0xc3, 0xa9, 0xe5, 0xad, 0x97, 0xf0, 0x9f, 0x9a, 0x80]);
    expect(tokenizer.encode('')).toEqual([]);
    expect(tokenizer.vocabularySize).toBe(256);
    expect(tokenizer.endOfText).toBe(0);
  });

  it('gives back every text', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        expect(tokenizer.decode(tokenizer.encode(text))).toBe(text);
      }),
      { numRuns: 1000 },
    );
    expect(tokenizer.decode(tokenizer.encode('\ufeffa\0b'))).toBe('\ufeffa\0b');
  });

  it('gives back every code point', () => {
    let text = '';
    for (let code = 0; code <= 0x10ffff; code++) {
      if (code < 0xd800 || code > 0xdfff) text += String.fromCodePoint(code);
    }
    expect(tokenizer.decode(tokenizer.encode(text)) === text).toBe(true);
  });

  it('takes a lone surrogate for U+FFFD', () => {
    for (const text of ['\ud800', 'a\udfffb', '\udc00\ud800', '\ud83d x']) {
      expect(tokenizer.encode(text)).toEqual([...new TextEncoder().encode(text)]);
      expect(tokenizer.decode(tokenizer.encode(text))).toBe(text.replaceAll(/\p{Cs}/gu, '\ufffd'));
    }
  });

  it('decodes what is not UTF-8 as the Encoding Standard says', () => {
    expect(tokenizer.decode([0xff])).toBe('\ufffd');
    expect(tokenizer.decode([0xe5, 0xad])).toBe('\ufffd');
    expect(tokenizer.decode([0xe5, 0x41])).toBe('\ufffdA');
    expect(tokenizer.decode([0xf0, 0x80, 0x80, 0x41])).toBe('\ufffd\ufffd\ufffdA');
    expect(tokenizer.decode([0xed, 0xa0, 0x80])).toBe('\ufffd\ufffd\ufffd');
    expect(tokenizer.decode(new Set([0x41, 0x42]))).toBe('AB');
  });

  it('gives the byte of each id', () => {
    for (let id = 0; id < 256; id++) expect(tokenizer.bytes(id)).toEqual(Uint8Array.of(id));
  });

  it.each([-1, 256, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 32])('refuses %s as an id', (id) => {
    for (const use of [() => tokenizer.bytes(id), () => tokenizer.decode([65, id])]) {
      expect(use).toThrow(expect.objectContaining({ code: 'TOKEN_OUT_OF_RANGE', hint: expect.any(String) }));
      expect(use).toThrow(expect.toSatisfy(ReceptanceError.isInstance));
    }
  });
});
