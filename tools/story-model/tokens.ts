import { writeFileSync } from 'node:fs';
import { generate } from './corpus.ts';

/** The single bytes, then as many words as make this many tokens with the end of text: rarer words are spelled. */
const TOKENS = 896;
const SAMPLE = { bytes: 3_000_000, seed: 9 };

/** A word with the space before it, marks that stand together, anything else by itself: digits, so that sums are by digits. */
const PIECE = / ?[A-Za-z]+| "|[.,!?]"| [+=-]/g;

/** The vocabulary of the stories model in the format of the official ones: `<id> <Python literal> <length in bytes>` in each line. */
export function vocabularyText(): string {
  const counts = new Map<string, number>();
  generate(SAMPLE, (document) => {
    for (const [piece] of document.matchAll(PIECE)) counts.set(piece, (counts.get(piece) ?? 0) + 1);
  });
  // By the tokens that a piece saves.
  const saving = [...counts].map(([piece, count]) => [piece, count * (piece.length - 1)] as const);
  saving.sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1));
  const words = saving.slice(0, TOKENS - 257).map(([piece]) => piece);
  const bytes = Array.from({ length: 256 }, (_, byte) => `${byte + 1} b'\\x${byte.toString(16).padStart(2, '0')}' 1`);
  const entries = words.map((word, i) => `${257 + i} '${word}' ${word.length}`);
  return `${[...bytes, ...entries].join('\n')}\n`;
}

if (import.meta.main) {
  const out = process.argv[2];
  if (out === undefined) throw new Error('usage: node tools/story-model/tokens.ts FILE');
  writeFileSync(out, vocabularyText());
}
