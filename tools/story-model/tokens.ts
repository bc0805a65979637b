import { generate } from './corpus.ts';

/** Tokens of the stories model. */
export const VOCABULARY = 896;

const SAMPLE = { bytes: 3_000_000, seed: 9 };

/** A word with the space before it, marks that stand together, anything else by itself: digits, so that sums are by digits. */
const PIECE = / ?[A-Za-z]+| "|[.,!?]"| [+=-]/g;

/**
 * The vocabulary of the stories model in the format of the official ones: `<id> <Python literal> <length in bytes>` in each line.
 * @param size of tokens: the end of text, the single bytes, then words; rarer words are spelled
 */
export function vocabularyText(size: number = VOCABULARY): string {
  const counts = new Map<string, number>();
  generate(SAMPLE, (document) => {
    for (const [piece] of document.matchAll(PIECE)) counts.set(piece, (counts.get(piece) ?? 0) + 1);
  });
  // By the tokens that a piece saves.
  const saving = [...counts].map(([piece, count]) => [piece, count * (piece.length - 1)] as const);
  saving.sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1));
  const words = saving.slice(0, size - 257).map(([piece]) => piece);
  const bytes = Array.from({ length: 256 }, (_, byte) => `${byte + 1} b'\\x${byte.toString(16).padStart(2, '0')}' 1`);
  const entries = words.map((word, i) => `${257 + i} '${word}' ${word.length}`);
  return `${[...bytes, ...entries].join('\n')}\n`;
}
