import { join } from 'node:path';
import { writeWhole } from '@receptance/checkpoint/node';
import type { LogLine, TrainingFolder } from '@receptance/train/node';
import { lossPage } from './plot.ts';

/** The picture's file. */
export const LOSS_PAGE = 'loss.html';
/** Milliseconds between two drawings of the plot. */
const DRAW_EVERY = 5000;

/** What is told of a training while it goes on: the log, and the picture drawn of it. */
export class TrainingRecord {
  readonly #folder: TrainingFolder;
  readonly #facts: { readonly title: string; readonly steps: number };
  readonly #lines: LogLine[];
  #drawn = Number.NEGATIVE_INFINITY;

  /** @param lines those of the steps before */
  constructor(folder: TrainingFolder, facts: { readonly title: string; readonly steps: number }, lines: LogLine[]) {
    this.#folder = folder;
    this.#facts = facts;
    this.#lines = lines;
  }

  /** The last loss, of a step or of held-out text. */
  last(which: 'loss' | 'heldOut'): number | undefined {
    return this.#lines.findLast((line) => line[which] !== undefined)?.[which];
  }

  async add(line: LogLine): Promise<void> {
    this.#lines.push(line);
    await this.#folder.log(line);
  }

  /** Draws the picture, unless that was done a moment ago. */
  async draw(ended: boolean): Promise<void> {
    if (!ended && performance.now() - this.#drawn < DRAW_EVERY) return;
    const page = lossPage(this.#lines, { ...this.#facts, ended });
    await writeWhole(join(this.#folder.path, LOSS_PAGE), [new TextEncoder().encode(page)]);
    this.#drawn = performance.now();
  }
}
