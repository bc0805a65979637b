import { distinct, drawn, type Task } from './task.ts';

const LETTERS = 'abcdefghijklmnopqrstuvwxyz';
const COUNT = 15;

/** `kfqz…:kfqz…`: a string of letters, none twice, and the same string again. */
export const copying: Task = {
  name: 'copying',
  about: `copying: ${COUNT} different letters in any order, then the same again; the answer is the whole copy`,
  guess: 'a string of different letters',
  documents: drawn((random) => {
    const letters = distinct(random, LETTERS, COUNT).join('');
    const start = COUNT + 1;
    return { text: `${letters}:${letters}\n`, answers: [{ start, end: start + COUNT, chance: CHANCE }] };
  }),
};

/** One of all the ways to put so many letters into a row. */
const CHANCE =
  1 / Array.from({ length: COUNT }, (_, i) => LETTERS.length - i).reduce((product, left) => product * left, 1);
