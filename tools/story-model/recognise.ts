import type { Page } from './grammar.ts';
import type { Chooser } from './random.ts';
import { probabilityOf } from './random.ts';

class Mismatch extends Error {}

/** Replays given decisions, takes the first option of every later one, and stops as soon as the page leaves the text. */
class Follower implements Chooser {
  readonly taken: { index: number; readonly count: number }[] = [];
  bits = 0;
  private readonly forced: readonly number[];
  private readonly text: string;

  constructor(forced: readonly number[], text: string) {
    this.forced = forced;
    this.text = text;
  }

  choose(count: number, weights?: readonly number[]): number {
    const index = this.forced[this.taken.length] ?? 0;
    this.taken.push({ index, count });
    this.bits -= Math.log2(probabilityOf(index, count, weights));
    return index;
  }

  wrote(text: string): void {
    if (!this.text.startsWith(text)) throw new Mismatch();
  }
}

/** Every way the grammar can make exactly this text, each as its information in bits: tried exhaustively. */
export function readings(text: string, write: (chooser: Chooser) => Page): number[] {
  const found: number[] = [];
  let forced: number[] | undefined = [];
  while (forced !== undefined) {
    const follower: Follower = new Follower(forced, text);
    try {
      if (write(follower).text === text) found.push(follower.bits);
    } catch (error) {
      if (!(error instanceof Mismatch)) throw error;
    }
    const taken = follower.taken;
    for (let last = taken.at(-1); last !== undefined && last.index + 1 >= last.count; last = taken.at(-1)) taken.pop();
    const last = taken.at(-1);
    if (last === undefined) {
      forced = undefined;
    } else {
      last.index++;
      forced = taken.map((decision) => decision.index);
    }
  }
  return found;
}
