import { ReceptanceError } from '@receptance/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { StreamingDecoder, worldTokenizer } from '../src/index.ts';
import { anyBytes, anyText, entries, file, singleBytes, slowly, words } from './support/world.ts';

const tokenizer = worldTokenizer(file);
const MEGABYTE = 1 << 20;
const invalid = (message: RegExp) =>
  expect.toSatisfy(
    (error) =>
      ReceptanceError.isInstance(error) &&
      error.code === 'BAD_VOCABULARY' &&
      error.hint !== undefined &&
      message.test(error.message),
  );

describe('worldTokenizer', () => {
  it('takes the longest entry at every place', () => {
    const id = (text: string) => words.find(([, b]) => new TextDecoder().decode(b) === text)?.[0] ?? -1;
    expect(tokenizer.encode(' thereth')).toEqual([id(' there'), id('th')]);
    expect(tokenizer.encode('abcdab')).toEqual([id('abcd'), id('ab')]);
    expect(tokenizer.encode('abcdeab')).toEqual([id('abcd'), 0x65 + 1, id('ab')]);
    expect(tokenizer.encode('User: hi\n\n')).toEqual([id('User'), id(': '), 0x68 + 1, 0x69 + 1, id('\n\n')]);
    expect(tokenizer.encode('')).toEqual([]);
  });

  it('is as large as the models are, and begins with the end of text', () => {
    expect(tokenizer.vocabularySize).toBe(65_536);
    expect(worldTokenizer(entries, 300).vocabularySize).toBe(300);
    expect(tokenizer.endOfText).toBe(0);
    expect(tokenizer.encode('\0')).toEqual([1]);
  });

  it('has the bytes of each entry, and none for other ids', () => {
    for (const [id, bytes] of entries) expect(tokenizer.bytes(id)).toEqual(bytes);
    for (const id of [0, 300, 65_535]) expect(tokenizer.bytes(id)).toEqual(new Uint8Array(0));
    expect(tokenizer.decode([0, 98, 65_535, 99])).toBe('ab');
  });

  it('gives out copies', () => {
    tokenizer.bytes(98).fill(0);
    expect(tokenizer.decode([98])).toBe('a');
    const mine = [[98, Uint8Array.of(0x61)] as const, ...singleBytes.filter(([id]) => id !== 98)];
    const own = worldTokenizer(mine);
    mine[0]?.[1].fill(0);
    expect(own.decode(own.encode('a'))).toBe('a');
  });

  it('reads entries as it reads the file', () => {
    const other = worldTokenizer([...entries].reverse());
    for (const [id] of entries) expect(other.bytes(id)).toEqual(tokenizer.bytes(id));
    const texts = worldTokenizer([...singleBytes, [400, 'né']]);
    expect(texts.encode('néné')).toEqual([400, 400]);
  });

  it('does what trying every entry does', () => {
    fc.assert(
      fc.property(anyBytes, (bytes) => {
        expect(tokenizer.encode(bytes)).toEqual(slowly(bytes));
      }),
      { numRuns: 500 },
    );
  });

  it('does what trying every entry does, for any vocabulary', () => {
    const letters = fc.uint8Array({ minLength: 2, maxLength: 6, max: 2 });
    const vocabulary = fc.uniqueArray(letters, { selector: (b) => b.join(), maxLength: 40 });
    fc.assert(
      fc.property(vocabulary, fc.uint8Array({ max: 3, maxLength: 60 }), (longer, text) => {
        const all = [...singleBytes, ...longer.map((bytes, i) => [300 + i, bytes] as const)];
        expect(worldTokenizer(all, 400).encode(text)).toEqual(slowly(text, all));
      }),
      { numRuns: 300 },
    );
  });

  it('gives back every text, whole and token by token', () => {
    fc.assert(
      fc.property(fc.oneof(anyText, fc.string({ unit: 'binary' })), (text) => {
        const ids = tokenizer.encode(text);
        expect(tokenizer.decode(ids)).toBe(text);
        const decoder = new StreamingDecoder(tokenizer);
        let soFar = '';
        for (const id of ids) {
          soFar += decoder.push(id);
          expect(text.startsWith(soFar)).toBe(true);
        }
        expect(soFar + decoder.flush()).toBe(text);
      }),
      { numRuns: 1000 },
    );
  });

  it('gives back every code point', () => {
    let text = '';
    for (let code = 0; code <= 0x10ffff; code++) if (code < 0xd800 || code > 0xdfff) text += String.fromCodePoint(code);
    expect(tokenizer.decode(tokenizer.encode(text)) === text).toBe(true);
  });

  it('gives back any bytes', () => {
    fc.assert(
      fc.property(anyBytes, (bytes) => {
        const ids = tokenizer.encode(bytes);
        expect(ids.flatMap((id) => [...tokenizer.bytes(id)])).toEqual([...bytes]);
        const decoder = new StreamingDecoder(tokenizer);
        const given = ids.map((id) => decoder.push(id)).join('') + decoder.flush();
        expect(given).toBe(new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes));
        expect(tokenizer.decode(ids)).toBe(given);
      }),
      { numRuns: 1000 },
    );
  });

  it('takes a lone surrogate for U+FFFD', () => {
    expect(tokenizer.decode(tokenizer.encode('a\ud800b'))).toBe('a\ufffdb');
  });

  it.each([
    ['one letter', new Uint8Array(MEGABYTE).fill(0x61)],
    ['blanks', new Uint8Array(MEGABYTE).fill(0x20)],
    [
      'an entry but its last byte, again and again',
      Uint8Array.from({ length: MEGABYTE }, (_, i) => (i % 128 ? 0x20 : 0)),
    ],
    ['any bytes', Uint8Array.from({ length: MEGABYTE }, (_, i) => Math.imul(i + 1, 0x9e3779b1) >>> 24)],
  ])('encodes a megabyte of %s', (_name, bytes) => {
    const ids = tokenizer.encode(bytes);
    let at = 0;
    let same = true;
    for (const id of ids) for (const byte of tokenizer.bytes(id)) same &&= bytes[at++] === byte;
    expect([same, at]).toEqual([true, MEGABYTE]);
    expect(ids.length).toBeGreaterThanOrEqual(MEGABYTE / 128);
  });

  it.each([-1, 65_536, 1.5, Number.NaN])('refuses %s as an id', (id) => {
    for (const use of [() => tokenizer.bytes(id), () => tokenizer.decode([65, id])]) {
      expect(use).toThrow(expect.objectContaining({ code: 'TOKEN_OUT_OF_RANGE', hint: expect.any(String) }));
    }
  });

  it('refuses a vocabulary that cannot spell every text', () => {
    expect(() => worldTokenizer(entries.filter(([id]) => id !== 0x62))).toThrow(invalid(/1 of the 256 bytes.*0x61/));
    expect(() => worldTokenizer([[1, 'ab']])).toThrow(invalid(/256 of the 256 bytes/));
    expect(() => worldTokenizer([])).toThrow(invalid(/256 of the 256 bytes/));
  });

  it.each([
    ['an id twice', [...entries, [98, 'x y'] as const], /entry \d+: token 98 was given before, in entry 98/],
    ['the same bytes twice', [...entries, [4000, 'ab'] as const], /token 4000 .*same bytes as token \d+ in entry/],
    ['the end of text', [[0, 'end'] as const], /entry 1: token 0 is the end of text/],
    ['an empty token', [[1, ''] as const], /entry 1: token 1 has 0 bytes/],
    ['a very long token', [[1, 'x'.repeat(1025)] as const], /entry 1: token 1 has 1025 bytes/],
    ['no whole number', [[1.5, 'a'] as const], /entry 1: 1.5 is no token id/],
    ['an id far too large', [[2 ** 31, 'a'] as const], /entry 1: 2147483648 is no token id/],
    ['an id outside the vocabulary', [...entries, [65_536, 'x y'] as const], /token 65536 is outside/],
  ])('refuses %s', (_name, vocabulary, message) => {
    expect(() => worldTokenizer(vocabulary)).toThrow(invalid(message));
  });

  it.each([0, -1, 2.5, Number.NaN, 2 ** 32])('refuses a vocabulary of %s', (size) => {
    expect(() => worldTokenizer(file, size)).toThrow(invalid(/cannot have/));
  });
});
