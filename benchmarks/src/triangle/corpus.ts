import { ReceptanceError } from '@receptance/core';
import type { Answer, Task } from './tasks/task.ts';

/** All text is ASCII, and a token is a character. */
export const VOCABULARY = 128;

/** Texts of T tokens one after the other, and the first token of the next. */
export interface Corpus {
  readonly tokens: Uint8Array;
  /** 1 for each token of an answer: these are foreseen, the others only read. */
  readonly counts: Uint8Array;
  /** In tokens of the corpus, in order. */
  readonly answers: readonly Answer[];
}

/** What fills a text up when the next document does not fit into it. */
const FILLING = 10;

/**
 * The documents of a task in texts of T tokens: in each as many as fit, the first at its beginning. A document longer than a text goes
 * on in the next.
 * @throws ReceptanceError `DATA_TOO_SHORT` for a task that has not so many
 */
export function corpusOf(task: Task, seed: number, texts: number, length: number): Corpus {
  const size = texts * length;
  const tokens = new Uint8Array(size + 1).fill(FILLING);
  const counts = new Uint8Array(size + 1);
  const answers: Answer[] = [];
  let at = 0;
  for (const { text, answers: own } of task.documents(seed, size)) {
    const left = length - (at % length);
    if (text.length > left && text.length <= length) at += left;
    if (at >= size) return { tokens, counts, answers };
    for (let i = 0; i < text.length && at + i < size; i++) tokens[at + i] = text.charCodeAt(i);
    for (const { start, end, chance } of own) {
      if (at + end > size) continue;
      answers.push({ start: at + start, end: at + end, chance });
      counts.fill(1, at + start, at + end);
    }
    at += text.length;
  }
  if (at >= size) return { tokens, counts, answers };
  throw new ReceptanceError('DATA_TOO_SHORT', `${task.name} has ${at} tokens of ${size}`, {
    hint: 'take fewer steps',
  });
}
