import { drawn, type Task } from './task.ts';

const DIGITS = 3;
const LIMIT = 10 ** DIGITS;

/** `387+452=9380`: the sum begins with its last digit, as it is worked out on paper, and is always of four. */
export const addition: Task = {
  name: 'addition',
  about: `addition of two numbers of ${DIGITS} digits; the answer is the sum, its last digit first`,
  guess: 'any sum that there is',
  documents: drawn((random) => {
    const [a, b] = [random.integer(LIMIT), random.integer(LIMIT)];
    const padded = (x: number, digits: number): string => String(x).padStart(digits, '0');
    const question = `${padded(a, DIGITS)}+${padded(b, DIGITS)}=`;
    const sum = [...padded(a + b, DIGITS + 1)].toReversed().join('');
    const start = question.length;
    const answers = [{ start, end: start + sum.length, chance: 1 / (2 * LIMIT - 1) }];
    return { text: `${question}${sum}\n`, answers };
  }),
};
