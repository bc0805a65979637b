import { distinct, drawn, type Task } from './task.ts';

const [KEYS, VALUES] = ['abcdefghijklmnop', 'ABCDEFGHIJKLMNOP'];
const PAIRS = 8;
const QUESTIONS = 23;

/** `fKkBaM…:kBfK…`: pairs of a key and a value; then keys again, each to be followed by its value. */
export const recall: Task = {
  name: 'recall',
  about: `associative recall: ${PAIRS} pairs of letters, then ${QUESTIONS} keys in any order; the answer to each is its value`,
  guess: 'one of the values shown',
  documents: drawn((random) => {
    const keys = distinct(random, KEYS, PAIRS);
    const values = distinct(random, VALUES, PAIRS);
    const pair = (i: number): string => `${keys[i]}${values[i]}`;
    const shown = `${keys.map((_, i) => pair(i)).join('')}:`;
    const asked = Array.from({ length: QUESTIONS }, () => pair(random.integer(PAIRS)));
    const answers = asked.map((_, i) => {
      const start = shown.length + 2 * i + 1;
      return { start, end: start + 1, chance: 1 / PAIRS };
    });
    return { text: `${shown}${asked.join('')}\n`, answers };
  }),
};
