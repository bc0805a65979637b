import { ReceptanceError } from '@receptance/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { worldTokenizer, worldTokenizerFromTokens } from '../src/index.ts';
import { file, words } from './support/world.ts';

/** Whether it is read; anything but a ReceptanceError is a failure. */
function survives(make: () => unknown): boolean {
  try {
    make();
    return true;
  } catch (error) {
    if (ReceptanceError.isInstance(error)) return false;
    throw error;
  }
}

/** What a literal or a line is made of. */
const piece = fc.oneof(
  fc.constantFrom(
    "'",
    '"',
    "'''",
    '\\',
    '\\x',
    '\\u',
    '\\U',
    '\\N{',
    '\\7',
    ' ',
    '\n',
    '\r',
    'b',
    'r',
    'u',
    '\0',
    '\ud800',
  ),
  fc.nat(2 ** 33).map(String),
  fc.string({ unit: 'binary', maxLength: 3 }),
);

describe('a vocabulary file that is damaged', () => {
  it('is refused when cut, but at the end of a line after those that every vocabulary needs', () => {
    const needed = file.indexOf('257 ') - 1;
    let read = 0;
    for (let length = 0; length <= file.length; length += length < 200 || length >= needed - 7 ? 1 : 7) {
      const wholeLine = file.charAt(length) === '\n' || file.charAt(length - 1) === '\n';
      const survived = survives(() => worldTokenizer(file.slice(0, length)));
      expect(survived, `${length}`).toBe(length >= needed && wholeLine);
      if (survived) read++;
    }
    expect(read).toBe(2 * (words.length + 1));
  });

  it('is read or refused with parts changed', () => {
    let refused = 0;
    const edit = fc.tuple(fc.nat(file.length), fc.nat(12), fc.array(piece, { maxLength: 4 }));
    fc.assert(
      fc.property(fc.array(edit, { minLength: 1, maxLength: 3 }), (edits) => {
        let text = file;
        for (const [at, length, pieces] of edits) text = text.slice(0, at) + pieces.join('') + text.slice(at + length);
        if (!survives(() => worldTokenizer(text))) refused++;
      }),
      { numRuns: 2000 },
    );
    expect(refused).toBeGreaterThan(1000);
  });

  it('is refused where lines are made of pieces', () => {
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 20 }), (pieces) => {
        expect(survives(() => worldTokenizer(pieces.join('')))).toBe(false);
        expect(survives(() => worldTokenizer(`1 ${pieces.join('')} 1`))).toBe(false);
      }),
      { numRuns: 2000 },
    );
  });

  it.each([
    ['no lines', (n: number) => 'a'.repeat(n)],
    ['empty lines', (n: number) => '\n'.repeat(n)],
    ['blanks', (n: number) => ' '.repeat(n)],
    ['digits', (n: number) => '1'.repeat(n)],
    ['one literal', (n: number) => `1 '${'a'.repeat(n)}' 1`],
    ['backslashes', (n: number) => `1 '${'\\'.repeat(n)}' 1`],
    ['quotes', (n: number) => `1 ${"'".repeat(n)} 1`],
    ['one line again and again', (n: number) => "1 'a' 1\n".repeat(n / 8)],
    ['lines without a token', (n: number) => '1 2 3\n'.repeat(n / 6)],
  ])('is refused when it is 4 MB of %s', (_name, make) => {
    expect(survives(() => worldTokenizer(make(4e6)))).toBe(false);
  });

  it('is read in time where tokens share long beginnings', () => {
    const bytes = Array.from({ length: 256 }, (_, b) => `${b + 1} b'\\x${b.toString(16).padStart(2, '0')}' 1\n`);
    const long = Array.from(
      { length: 4000 },
      (_, i) => `${i + 300} '${'a'.repeat(1000)}${String(i).padStart(6, '0')}' 1006\n`,
    );
    const tokenizer = worldTokenizer([...bytes, ...long].join(''));
    expect(tokenizer.encode(`${'a'.repeat(1000)}003999`)).toEqual([4299]);
  });

  it('gives only ReceptanceErrors for tokens of any kind', () => {
    const bytes = Array.from({ length: 256 }, (_, b) => `\\x${b.toString(16).padStart(2, '0')}`);
    fc.assert(
      fc.property(fc.array(fc.array(piece, { maxLength: 4 }), { maxLength: 8 }), (tokens) => {
        survives(() => worldTokenizerFromTokens(['<s>', ...bytes, ...tokens.map((pieces) => pieces.join(''))]));
      }),
      { numRuns: 1000 },
    );
  });
});
