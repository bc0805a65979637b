import { badVocabulary } from '../errors.ts';

const ESCAPES: ReadonlyMap<string, string> = new Map([
  ['t', '\t'],
  ['n', '\n'],
  ['r', '\r'],
]);

/** Byte → what stands for it after a backslash. */
const ESCAPED: ReadonlyMap<number, string> = new Map([
  [0x5c, '\\'],
  ...[...ESCAPES].map(([letter, character]) => [character.charCodeAt(0), letter] as const),
]);

/**
 * The bytes of a World token as a GGUF file spells it: `\t`, `\n`, `\r`, `\xNN` for a byte; a backslash before any other
 * character stands for that character. What is not escaped is UTF-8.
 * @throws ReceptanceError `BAD_VOCABULARY`
 */
export function unescapeToken(token: string, where: string): Uint8Array {
  if (!token.includes('\\')) return new TextEncoder().encode(token);
  const bytes: number[] = [];
  const encoder = new TextEncoder();
  for (let at = 0; at < token.length; ) {
    let character = String.fromCodePoint(token.codePointAt(at) ?? 0);
    at += character.length;
    if (character === '\\') {
      if (at >= token.length) throw spelling(where, 'ends in a backslash');
      character = String.fromCodePoint(token.codePointAt(at) ?? 0);
      at += character.length;
      if (character === 'x') {
        const digits = token.slice(at, at + 2);
        if (!/^[0-9a-f]{2}$/i.test(digits)) throw spelling(where, 'has an escape \\x without its 2 hexadecimal digits');
        bytes.push(Number.parseInt(digits, 16));
        at += 2;
        continue;
      }
      character = ESCAPES.get(character) ?? character;
    }
    for (const byte of encoder.encode(character)) bytes.push(byte);
  }
  return Uint8Array.from(bytes);
}

/** The bytes of a World token as a GGUF file spells it: what `unescapeToken` reads. */
export function escapeToken(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) {
    const letter = ESCAPED.get(byte);
    if (letter !== undefined) text += `\\${letter}`;
    else if (byte >= 0x20 && byte < 0x7f) text += String.fromCharCode(byte);
    else text += `\\x${byte.toString(16).padStart(2, '0')}`;
  }
  return text;
}

function spelling(where: string, reason: string): Error {
  return badVocabulary(`${where} ${reason}`, 'give the strings of tokenizer.ggml.tokens as the file has them');
}
