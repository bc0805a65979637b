/** How the strings of a vocabulary spell bytes. */
export type Spelling = 'byte-level' | 'byte-fallback';

const SPACE_MARK = '\u2581';

/** The character that byte-level BPE writes for a byte: itself where it is visible in Latin-1, else one from U+0100 on. */
export const BYTE_CHARACTERS: readonly string[] = byteCharacters();
const CHARACTER_BYTES: ReadonlyMap<string, number> = new Map(
  BYTE_CHARACTERS.map((character, byte) => [character, byte]),
);

/**
 * The bytes that are needed to spell every text: in byte-level BPE those that occur in UTF-8 (0xC0, 0xC1 and 0xF5 …
 * 0xFF never do, and published vocabularies lack them), each as its token.
 */
export function neededTokens(spelling: Spelling): string[] {
  const bytes = Array.from({ length: 256 }, (_, byte) => byte);
  if (spelling === 'byte-fallback') return bytes.map(fallbackToken);
  return bytes
    .filter((byte) => byte < 0xf5 && byte !== 0xc0 && byte !== 0xc1)
    .map((byte) => BYTE_CHARACTERS[byte] ?? '');
}

/**
 * The bytes of a token of the vocabulary; undefined for one that byte-level BPE cannot have.
 *
 * In byte-fallback vocabularies (SentencePiece) U+2581 is a space and `<0xNN>` a byte. The space that is put before a
 * text is kept: a token cannot know whether it comes first, and in a text that goes on it does not.
 */
export function tokenBytes(token: string, spelling: Spelling): Uint8Array | undefined {
  if (spelling === 'byte-level') {
    const bytes: number[] = [];
    for (const character of token) {
      const byte = CHARACTER_BYTES.get(character);
      if (byte === undefined) return undefined;
      bytes.push(byte);
    }
    return Uint8Array.from(bytes);
  }
  const byte = /^<0x([0-9A-Fa-f]{2})>$/.exec(token)?.[1];
  if (byte !== undefined) return Uint8Array.of(Number.parseInt(byte, 16));
  return new TextEncoder().encode(token.replaceAll(SPACE_MARK, ' '));
}

function fallbackToken(byte: number): string {
  return `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`;
}

function byteCharacters(): string[] {
  let hidden = 0;
  return Array.from({ length: 256 }, (_, byte) => {
    const visible = (byte > 0x20 && byte < 0x7f) || (byte > 0xa0 && byte !== 0xad);
    return String.fromCharCode(visible ? byte : 0x100 + hidden++);
  });
}
