import fc from 'fast-check';

/** Every byte, from id 1 on, as in every World vocabulary. */
export const singleBytes: readonly (readonly [number, Uint8Array])[] = Array.from(
  { length: 256 },
  (_, byte) => [byte + 1, Uint8Array.of(byte)] as const,
);

const utf8 = (text: string) => new TextEncoder().encode(text);

/** Longer entries as the official ones are: words, runs of blanks, parts of characters, prefixes of each other. */
export const words: readonly (readonly [number, Uint8Array])[] = [
  ['\n\n', '  ', '    ', ' the', ' then', ' there', 'the', 'th', 'ab', 'abcd', 'abcdef', 'User', 'Assistant', ': '],
  ['é', '字', '你好', '🚀', '👩‍', 'שלום', 'مرحبا', "it's", '"', '\\n', ' '.repeat(128)],
]
  .flat()
  .map(utf8)
  .concat([
    Uint8Array.of(0xe4, 0xbd),
    Uint8Array.of(0xf0, 0x9f),
    Uint8Array.of(0xff, 0xfe),
    Uint8Array.of(0x80, 0x41, 0),
  ])
  .filter((bytes) => bytes.length > 1)
  .map((bytes, i) => [257 + i, bytes] as const);

export const entries: readonly (readonly [number, Uint8Array])[] = [...singleBytes, ...words];

/** A line of the file: a string where the bytes are UTF-8, else bytes. */
export function line([id, bytes]: readonly [number, Uint8Array]): string {
  const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);
  const isText = utf8(text).join() === bytes.join();
  const hex = (byte: number) => `\\x${byte.toString(16).padStart(2, '0')}`;
  const literal = isText
    ? `'${text.replaceAll(/[\\']/g, '\\$&').replaceAll(/\p{Cc}/gu, (c) => hex(c.charCodeAt(0)))}'`
    : `b'${Array.from(bytes, hex).join('')}'`;
  return `${id} ${literal} ${bytes.length}\n`;
}

export const file: string = entries.map(line).join('');

/** At every place each entry is tried, the longest first. */
export function slowly(text: Uint8Array, vocabulary: readonly (readonly [number, Uint8Array])[] = entries): number[] {
  const longestFirst = [...vocabulary].sort(([, a], [, b]) => b.length - a.length);
  const ids: number[] = [];
  for (let at = 0; at < text.length; ) {
    const [id, bytes] = longestFirst.find(([, b]) => b.every((byte, i) => text[at + i] === byte)) ?? [-1, text];
    ids.push(id);
    at += bytes.length;
  }
  return ids;
}

/** Runs of entries, cut entries and any bytes. */
export const anyBytes: fc.Arbitrary<Uint8Array> = fc
  .array(
    fc.oneof(
      fc.constantFrom(...words.map(([, bytes]) => bytes)),
      fc.tuple(fc.constantFrom(...words.map(([, bytes]) => bytes)), fc.nat(8)).map(([b, n]) => b.subarray(0, n)),
      fc.uint8Array({ maxLength: 4 }),
    ),
    { maxLength: 20 },
  )
  .map((parts) => Uint8Array.from(parts.flatMap((part) => [...part])));

/** All planes, and what is hard: combining marks, right to left, joined emoji, flags, U+0000, byte order marks. */
export const anyText: fc.Arbitrary<string> = fc.string({
  unit: fc.oneof(
    fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }),
    fc.constantFrom('\0', '\ufeff', '\u{10ffff}', 'e\u0301', 'á\u0323\u0302', 'שלום', 'مرحبا', '\u202e', '字', '你好'),
    fc.constantFrom('👩‍🚀', '🇫🇷', '👍🏽', '한국', 'हिन्दी', '\r\n', '\u0085', ' the', 'User', "it's", '   '),
  ),
});
