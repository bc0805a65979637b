import { ReceptanceError } from '@receptance/core';
import { describe, expect, it } from 'vitest';
import { worldTokenizer } from '../src/index.ts';
import { file, line, singleBytes } from './support/world.ts';

const base = singleBytes.map(line).join('');
const utf8 = (text: string) => [...new TextEncoder().encode(text)];

/** Token 300 of a vocabulary in which it is written like that. */
function read(literal: string, length: number): number[] {
  return [...worldTokenizer(`${base}300 ${literal} ${length}\n`).bytes(300)];
}

/** Literals, and what Python makes of them. */
const literals: readonly (readonly [string, readonly number[]])[] = [
  ["'ab'", utf8('ab')],
  ['"ab"', utf8('ab')],
  [`"it's"`, utf8("it's")],
  [String.raw`'it\'s'`, utf8("it's")],
  [String.raw`"\"\""`, utf8('""')],
  ["'   '", utf8('   ')],
  ["' a b '", utf8(' a b ')],
  ["'字é🚀\u2028\ufeff'", utf8('字é🚀\u2028\ufeff')],
  [String.raw`'\a\b\t\n\v\f\r\\\''`, [7, 8, 9, 10, 11, 12, 13, 92, 39]],
  [String.raw`'\x41\xe9\u5b57\U0001f680'`, utf8('Aé字🚀')],
  [String.raw`'\u0000\x00'`, [0, 0]],
  [String.raw`'\0\08\101\1012\400\777'`, [0, 0, 0x38, 0x41, 0x41, 0x32, ...utf8('\u0100\u01ff')]],
  [String.raw`b'\xff\xFE\x00a'`, [0xff, 0xfe, 0, 0x61]],
  [String.raw`B"\377\n\""`, [0xff, 10, 34]],
  [String.raw`b'\u5b57\N{DASH}'`, utf8(String.raw`\u5b57\N{DASH}`)],
  [String.raw`'\q\ \8é'`, utf8(String.raw`\q\ \8é`)],
  [String.raw`r'\n\''`, utf8(String.raw`\n\'`)],
  [String.raw`Rb'\x00\\'`, utf8(String.raw`\x00\\`)],
  [String.raw`bR"a\""`, utf8(String.raw`a\"`)],
  ["u'ab'", utf8('ab')],
  [`'''it's "so" '''`, utf8(`it's "so" `)],
  [`"""a""b"""`, utf8('a""b')],
];

describe('the vocabulary file', () => {
  it.each(literals)('reads %s', (literal, bytes) => {
    expect(read(literal, bytes.length)).toEqual(bytes);
  });

  it('reads lines that end in either way, and a last one that does not end', () => {
    const whole = worldTokenizer(file);
    for (const text of [file.replaceAll('\n', '\r\n'), file.trimEnd()]) {
      const other = worldTokenizer(text);
      for (let id = 0; id < 300; id++) expect(other.bytes(id)).toEqual(whole.bytes(id));
    }
  });

  it.each([
    ["300 'ab'", /not of the form|does not end with the length/],
    ["'ab' 2", /not of the form|does not begin with a token id/],
    ['300 2', /not of the form/],
    ['', /not of the form/],
    ["0 'ab' 2", /does not begin with a token id/],
    ["-1 'ab' 2", /does not begin with a token id/],
    ["3e2 'ab' 2", /does not begin with a token id/],
    ["\ufeff300 'ab' 2", /does not begin with a token id/],
    ["9999999999 'ab' 2", /does not begin with a token id/],
    ["999999999 'ab' 2", /999999999 is no token id/],
    ["300 'ab' 2.", /does not end with the length/],
    ["300 'ab' ", /does not end with the length/],
    ["300 'ab' 3", /has 2 bytes where the line says 3/],
    ["300 '字' 1", /has 3 bytes where the line says 1/],
    ["300 '' 0", /has 0 bytes/],
    [`300 '${'a'.repeat(1025)}' 1025`, /more than 1024 bytes/],
    ['300 ab 2', /not a string or bytes literal/],
    ["300 f'ab' 2", /not a string or bytes literal/],
    ["300 bu'ab' 2", /not a string or bytes literal/],
    ["300 rbr'ab' 2", /not a string or bytes literal/],
    ["300 __import__('os').getcwd() 2", /not a string or bytes literal/],
    ["300 'ab 2", /no closing quote/],
    [`300 'ab" 2`, /no closing quote/],
    [String.raw`300 'ab\' 2`, /no closing quote/],
    [String.raw`300 r'ab\' 2`, /no closing quote/],
    [`300 '''ab' 2`, /no closing quote/],
    ["300 'a' 'b' 2", /more after its closing quote/],
    ["300 'ab'*1 2", /more after its closing quote/],
    ["300 'a'.join(open('/etc/passwd')) 2", /more after its closing quote/],
    [String.raw`300 '\x4' 1`, /2 hexadecimal digits/],
    [String.raw`300 b'\xg0' 1`, /2 hexadecimal digits/],
    [String.raw`300 '\u12' 1`, /4 hexadecimal digits/],
    [String.raw`300 '\U0001f68' 4`, /8 hexadecimal digits/],
    [String.raw`300 '\U00110000' 4`, /above 10ffff/],
    [String.raw`300 '\ud83d\ude80' 4`, /half a surrogate pair/],
    ["300 '\ud83d' 3", /half a surrogate pair/],
    [String.raw`300 b'\400' 1`, /octal/],
    [String.raw`300 '\N{DASH}' 1`, /by name/],
    ["300 b'é' 2", /not ASCII/],
    ["300 'a\0b' 3", /U\+0000/],
    ["300 'a\rb' 3", /line break/],
  ])('refuses %j', (bad, message) => {
    expect(() => worldTokenizer(`${base}${bad}\n300 'ab' 2\n`)).toThrow(
      expect.objectContaining({
        code: 'BAD_VOCABULARY',
        hint: expect.any(String),
        message: expect.stringMatching(/^line 257\b/),
      }),
    );
    expect(() => worldTokenizer(`${base}${bad}\n300 'ab' 2\n`)).toThrow(message);
    expect(() => worldTokenizer(`${base}${bad}\n300 'ab' 2\n`)).toThrow(expect.toSatisfy(ReceptanceError.isInstance));
  });

  it('names both lines where an entry comes twice', () => {
    expect(() => worldTokenizer(`${base}256 'ab' 2\n`)).toThrow(/^line 257: token 256 was given before, in line 256/);
    expect(() => worldTokenizer(`${base}300 'ab' 2\n301 b'ab' 2\n`)).toThrow(
      /^line 258: token 301 is the same bytes as token 300 in line 257|^line 257: token 300 is the same bytes as token 301 in line 258/,
    );
  });

  it('refuses an empty file', () => {
    expect(() => worldTokenizer('')).toThrow(expect.objectContaining({ code: 'BAD_VOCABULARY' }));
  });
});
