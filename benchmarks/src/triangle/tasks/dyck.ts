import type { Random } from '@receptance/conformance';
import { drawn, type Task } from './task.ts';

const OPENING = '([{<';
const CLOSING = ')]}>';
const [SHORTEST, LONGEST] = [8, 24];
const DEEPEST = 8;

/** Brackets of a Dyck word's beginning, and what is still open at its end, outermost first. */
function beginning(random: Random): { readonly text: string; readonly open: readonly number[] } {
  const length = SHORTEST + random.integer(LONGEST - SHORTEST + 1);
  const open: number[] = [];
  let text = '';
  for (let left = length; left > 0; left--) {
    // The last one opens, so that there is always something to close.
    const opens = open.length === 0 || left === 1 || (open.length < DEEPEST && random.integer(2) === 0);
    if (opens) {
      const kind = random.integer(OPENING.length);
      open.push(kind);
      text += OPENING[kind];
    } else text += CLOSING[open.pop() ?? 0];
  }
  return { text, open };
}

/** `([]{<|>})`: the beginning of a Dyck word over four kinds of brackets, and what closes it. */
export const dyck: Task = {
  name: 'dyck',
  about: `Dyck words of four kinds of brackets: ${SHORTEST} to ${LONGEST} of them, up to ${DEEPEST + 1} open at once; the answer is what closes all that are open, and the end`,
  guess: 'brackets of any kind, as many as are open',
  documents: drawn((random) => {
    const { text, open } = beginning(random);
    const closing = open.toReversed().map((kind) => CLOSING[kind]);
    const start = text.length + 1;
    const answers = [{ start, end: start + closing.length + 1, chance: OPENING.length ** -open.length }];
    return { text: `${text}|${closing.join('')}\n`, answers };
  }),
};
