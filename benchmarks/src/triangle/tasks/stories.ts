import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Document, Task } from './task.ts';

const GENERATOR = fileURLToPath(new URL('../../../../tools/story-model/corpus.ts', import.meta.url));
/** Of the generator's documents stories are about two in three, and longer than the others; a few are enough for a short corpus. */
const SURPLUS = 1.5;
const LEAST = 10_000;
/** Apart from the corpora that the bundled model knows. */
const FIRST_SEED = 1000;

/** Little stories of the grammar that the bundled model learned from. Every character is an answer of its own. */
export const stories: Task = {
  name: 'stories',
  about: 'little stories of a grammar; every character is foreseen from those before it',
  guess: 'the commonest character',
  *documents(seed, bytes) {
    const folder = mkdtempSync(join(tmpdir(), 'receptance-stories-'));
    try {
      const out = join(folder, 'corpus');
      const wanted = ['--bytes', String(LEAST + Math.ceil(SURPLUS * bytes)), '--seed', String(FIRST_SEED + seed)];
      execFileSync(process.execPath, [GENERATOR, ...wanted, '--out', out]);
      yield* storiesOf(readFileSync(out, 'latin1'));
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
};

/** The stories of a corpus, without the sheets of sums. */
export function* storiesOf(corpus: string): Generator<Document> {
  const texts = corpus
    .split('\0')
    .filter((text) => text !== '' && !text.includes(' = '))
    .map((text) => `${text}\0`);
  const chance = shareOfCommonest(texts.join(''));
  for (const text of texts) {
    const answers = Array.from(text, (_, start) => ({ start, end: start + 1, chance })).slice(1);
    yield { text, answers };
  }
}

function shareOfCommonest(text: string): number {
  const counts = new Map<string, number>();
  for (const character of text) counts.set(character, (counts.get(character) ?? 0) + 1);
  return Math.max(...counts.values()) / text.length;
}
