import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { byteTokenizer, StreamingDecoder } from '../src/index.ts';

const tokenizer = byteTokenizer();
const bytes = fc.array(
  fc.oneof(fc.nat(255), fc.constantFrom(0, 0x41, 0x80, 0xbf, 0xc3, 0xe5, 0xed, 0xef, 0xbb, 0xf0, 0x9f, 0xf4, 0xff)),
  { maxLength: 30 },
);
const text = fc.string({ unit: 'binary', maxLength: 20 });

/** A tokenizer whose ids stand for any runs of bytes. */
function runs(tokens: readonly (readonly number[])[]) {
  return { bytes: (id: number) => Uint8Array.from(tokens[id] ?? []) };
}

/** `whole` in pieces, cut at the given places. */
function split(whole: readonly number[], cuts: readonly number[]): number[][] {
  const places = [0, ...cuts.map((cut) => cut % (whole.length + 1)).sort((a, b) => a - b), whole.length];
  return places.slice(1).map((end, i) => whole.slice(places[i], end));
}

describe('StreamingDecoder', () => {
  it('holds a character back until it is whole', () => {
    const decoder = new StreamingDecoder(tokenizer);
    const given = tokenizer.encode('aé字🚀b').map((id) => decoder.push(id));
    expect(given).toEqual(['a', '', 'é', '', '', '字', '', '', '', '🚀', 'b']);
    expect(decoder.flush()).toBe('');
  });

  it('gives U+FFFD for what never becomes whole', () => {
    const decoder = new StreamingDecoder(tokenizer);
    expect([0xe5, 0xad].map((id) => decoder.push(id))).toEqual(['', '']);
    expect(decoder.flush()).toBe('\ufffd');
    expect(decoder.flush()).toBe('');
    expect([0xe5, 0x41].map((id) => decoder.push(id)).join('')).toBe('\ufffdA');
    expect(decoder.push(0xff)).toBe('\ufffd');
  });

  it('keeps a byte order mark, at the beginning and after', () => {
    const decoder = new StreamingDecoder(tokenizer);
    const twice = '\ufeffa\ufeff';
    for (let round = 0; round < 2; round++) {
      expect(
        tokenizer
          .encode(twice)
          .map((id) => decoder.push(id))
          .join('') + decoder.flush(),
      ).toBe(twice);
    }
  });

  it('gives in pieces what decoding gives at once, for any bytes and any tokens', () => {
    const anyBytes = fc.oneof(
      bytes,
      text.map((whole) => tokenizer.encode(whole)),
    );
    fc.assert(
      fc.property(anyBytes, fc.array(fc.nat(), { maxLength: 6 }), (whole, cuts) => {
        const tokens = split(whole, cuts);
        const decoder = new StreamingDecoder(runs(tokens));
        const given = tokens.map((_, id) => decoder.push(id)).join('') + decoder.flush();
        expect(given).toBe(tokenizer.decode(whole));
      }),
      { numRuns: 5000 },
    );
  });

  it('never gives out half a character of a text', () => {
    fc.assert(
      fc.property(text, (whole) => {
        const decoder = new StreamingDecoder(tokenizer);
        let soFar = '';
        for (const id of tokenizer.encode(whole)) {
          soFar += decoder.push(id);
          expect(whole.startsWith(soFar)).toBe(true);
        }
        expect(soFar).toBe(whole);
      }),
      { numRuns: 1000 },
    );
  });

  it('goes on after an id that is refused', () => {
    const decoder = new StreamingDecoder(tokenizer);
    expect(decoder.push(0xc3)).toBe('');
    expect(() => decoder.push(256)).toThrow(expect.objectContaining({ code: 'TOKEN_OUT_OF_RANGE' }));
    expect(decoder.push(0xa9)).toBe('é');
  });
});
