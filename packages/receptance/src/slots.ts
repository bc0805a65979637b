import { ReceptanceError } from '@receptance/core';

/** Rows of the state pools that one session owns. */
export interface Slot {
  readonly state: number;
  /** For the copy that a run may have to go back to. */
  readonly snapshot: number;
}

/** Hands out the rows of the state pools: two for each session, and one for what reads a text without a session. */
export class Slots {
  readonly capacity: number;
  readonly scratch: number;
  readonly #free: number[];

  constructor(capacity: number) {
    this.capacity = capacity;
    this.scratch = 2 * capacity;
    this.#free = Array.from({ length: capacity }, (_, i) => 2 * (capacity - 1 - i));
  }

  /** Rows of the pools: the size of the symbol Z. */
  get rows(): number {
    return this.scratch + 1;
  }

  /** How many can be taken now. */
  get available(): number {
    return this.#free.length;
  }

  /** @throws ReceptanceError `NO_FREE_SLOT` */
  take(): Slot {
    const state = this.#free.pop();
    if (state !== undefined) return { state, snapshot: state + 1 };
    throw new ReceptanceError('NO_FREE_SLOT', `all ${this.capacity} sessions of this model are in use`, {
      hint: 'close one, or load the model with a larger maxSequences',
    });
  }

  give(state: number): void {
    this.#free.push(state);
  }
}
