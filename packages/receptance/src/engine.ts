import type { Device, DeviceBuffer, HostArray, LanguageModel, Parameters } from '@receptance/core';
import { ReceptanceError } from '@receptance/core';
import { Batcher } from './batcher.ts';
import type { Executables, GraphName, PoolEntry, RunLimits } from './graphs.ts';
import { eventLoopTurn } from './pace.ts';
import { Queue } from './queue.ts';
import { type DecodeRun, type Draw, type Feed, Runs, type SlotRun } from './runs.ts';
import { type Trace, traceOn } from './trace.ts';

export interface EngineParts {
  readonly model: LanguageModel;
  readonly device: Device;
  readonly parameters: Parameters;
  readonly executables: Executables;
  readonly pools: readonly PoolEntry[];
  readonly vocabularySize: number;
  readonly width: number;
  readonly limits: RunLimits;
}

interface Decode extends SlotRun {
  readonly snapshot: number;
}

interface Step extends Feed {
  readonly snapshot: number;
}

/**
 * One model on one device: runs over slots of the state pools. It knows rows of the pools and token ids; texts,
 * sessions and settings live above. Calls take turns, so that sessions may be interleaved; what several sessions ask
 * for at the same time runs together.
 */
export class Engine {
  readonly pools: readonly PoolEntry[];
  /** How many texts are being continued. */
  generations = 0;
  #parts: EngineParts;
  #held: Runs;
  #released = false;
  readonly #expected = new Set<GraphName>();
  readonly #turns = new Queue();
  readonly #feeds: Batcher<Feed, true>;
  readonly #steps: Batcher<Step, HostArray>;
  readonly #draws: Batcher<Draw, number>;
  readonly #decodes: Readonly<Record<'greedy' | 'sample', Batcher<Decode, number[]>>>;

  constructor(parts: EngineParts) {
    this.pools = parts.pools;
    this.#parts = parts;
    this.#held = new Runs(parts);
    const shared = { turns: this.#turns, most: () => this.limits.batch, expected: () => this.generations };
    this.#feeds = new Batcher({
      ...shared,
      fitting: (feeds) => fitting(feeds, this.limits.chunk),
      run: async (feeds) => {
        await Promise.all([this.#runs.read(feeds), this.#makeExpected()]);
        return feeds.map(() => true as const);
      },
    });
    this.#steps = new Batcher({ ...shared, run: (feeds) => this.#step(feeds) });
    this.#draws = new Batcher({
      ...shared,
      run: async (draws) => (await this.#runs.draw(draws)).map((token) => this.#check(token)),
    });
    const decodes = { ...shared, run: (runs: readonly Decode[]) => this.#decode(runs) };
    this.#decodes = { greedy: new Batcher(decodes), sample: new Batcher(decodes) };
  }

  get limits(): RunLimits {
    return this.#parts.limits;
  }

  get vocabularySize(): number {
    return this.#parts.vocabularySize;
  }

  /** Puts a slot at the start of a text. */
  reset(slot: number): Promise<void> {
    return this.#turns.run(() => this.#runs.reset(slot));
  }

  /** Reads tokens, at most `chunk`, into the state of a slot. */
  async feed(slot: number, tokens: readonly number[]): Promise<void> {
    await this.#feeds.ask({ slot, tokens });
  }

  /**
   * The same, and gives logits.
   * @param rows the tokens, by place and at most as many as `limits.rows`, whose logits are wanted
   * @returns their logits [rows, vocabulary], one row after the other
   */
  logits(slot: number, tokens: readonly number[], rows: readonly number[]): Promise<HostArray> {
    return this.#turns.run(() => this.#runs.read([{ slot, tokens }], rows));
  }

  /** As `logits`, but what the rows are before the head: [rows, width]. */
  hidden(slot: number, tokens: readonly number[], rows: readonly number[]): Promise<HostArray> {
    return this.#turns.run(() => this.#runs.hidden({ slot, tokens }, rows));
  }

  /**
   * Reads one token.
   * @param snapshot the slot that first gets a copy, which is put back when the run fails
   * @returns the logits after it [vocabulary]
   */
  step(slot: number, snapshot: number, token: number): Promise<HostArray> {
    return this.#steps.ask({ slot, snapshot, tokens: [token] });
  }

  /** Says how tokens will be chosen: what that takes is made ready while a text is read. */
  expect(choosing: 'greedy' | 'sample' | 'draw'): void {
    this.#expected.add(choosing);
  }

  /** Draws from logits that the host has worked on, and counts the token for the slot. */
  draw(draw: Draw): Promise<number> {
    return this.#draws.ask(draw);
  }

  /**
   * Reads a token, chooses the next, reads that, and so on, on the device. The last one chosen is not read yet.
   * @param snapshot the slot that first gets a copy, which is put back when the run fails
   * @returns the tokens chosen, one a step: fewer than `steps`, but at least one, when another sequence that runs
   * beside wants fewer
   */
  decode(slot: number, snapshot: number, run: DecodeRun): Promise<number[]> {
    return this.#decodes[run.choice.kind].ask({ ...run, slot, snapshot });
  }

  /** Goes back to a snapshot and reads `tokens` again, one a step: the slot is then as if the run had ended there. */
  replay(slot: number, snapshot: number, run: DecodeRun): Promise<void> {
    return this.#turns.run(async () => {
      this.#copy(snapshot, slot);
      if (run.steps > 0) await this.#runs.replay({ ...run, slot });
    });
  }

  copySlot(from: number, to: number): Promise<void> {
    return this.#turns.run(async () => this.#copy(from, to));
  }

  readSlot(slot: number): Promise<HostArray[]> {
    const { device } = this.#parts;
    return this.#turns.run(() =>
      Promise.all(this.pools.map(({ name, elements }) => device.read(this.#pool(name), slot * elements, elements))),
    );
  }

  /** @param tensors one for each of `pools`, in their order */
  writeSlot(slot: number, tensors: readonly HostArray[]): Promise<void> {
    return this.#turns.run(async () => {
      this.pools.forEach(({ name, elements }, i) => {
        const data = tensors[i];
        if (data !== undefined) this.#parts.device.write(this.#pool(name), data, slot * elements);
      });
    });
  }

  /** What the memory of a layer is given by a text; no slot changes. */
  trace(tokens: readonly number[], layer: number): Promise<Trace> {
    return this.#turns.run(async () => {
      this.#checkHeld();
      return traceOn(this.#parts, tokens, layer);
    });
  }

  /** Waits for its turn, then frees everything and closes the device. */
  close(): Promise<void> {
    return this.#turns.run(() => this.#release());
  }

  /** Gives the device up for another, whose state pools are at the start of a text. The model must be the same. */
  renew(make: () => Promise<EngineParts>): Promise<void> {
    return this.#turns.run(async () => {
      await this.#release();
      this.#parts = await make();
      this.#held = new Runs(this.#parts);
      this.#released = false;
    });
  }

  /** After the run that is being asked for is under way. What fails here is made, and heard, when it is needed. */
  async #makeExpected(): Promise<void> {
    const expected = [...this.#expected];
    this.#expected.clear();
    if (expected.length > 0) await eventLoopTurn();
    for (const name of expected) await this.#parts.executables.get(name).catch(() => {});
  }

  async #release(): Promise<void> {
    if (this.#released) return;
    this.#released = true;
    const { device, executables, parameters } = this.#parts;
    executables.free();
    this.#held.free();
    parameters.free();
    await device.close();
  }

  async #decode(runs: readonly Decode[]): Promise<(number[] | ReceptanceError)[]> {
    const steps = Math.min(...runs.map((run) => run.steps));
    const chosen = await this.#orBack(runs, () => this.#runs.decode(runs, steps));
    return chosen.map((tokens, i) => {
      const wrong = tokens.map((token) => this.#check(token)).find(ReceptanceError.isInstance);
      if (wrong === undefined) return tokens;
      for (const { slot, snapshot } of runs.slice(i, i + 1)) this.#copy(snapshot, slot);
      return wrong;
    });
  }

  async #step(steps: readonly Step[]): Promise<HostArray[]> {
    const { vocabularySize } = this.#parts;
    const logits = await this.#orBack(steps, () => this.#runs.read(steps, [...steps.keys()]));
    return steps.map((_, i) => logits.slice(i * vocabularySize, (i + 1) * vocabularySize));
  }

  /** Runs over slots that are put back when it fails. */
  async #orBack<T>(slots: readonly (Decode | Step)[], run: () => Promise<T>): Promise<T> {
    for (const { slot, snapshot } of slots) this.#copy(slot, snapshot);
    try {
      return await run();
    } catch (error) {
      for (const { slot, snapshot } of slots) this.#copy(snapshot, slot);
      throw error;
    }
  }

  #check(token: number): number | ReceptanceError {
    if (token >= 0 && token < this.#parts.vocabularySize) return token;
    return new ReceptanceError('BAD_RESULT', `the device chose token ${token} of ${this.#parts.vocabularySize}`, {
      hint: 'its logits are not numbers any more, or its driver is at fault: try another backend',
    });
  }

  #copy(from: number, to: number): void {
    for (const { name, elements } of this.pools) {
      const pool = this.#pool(name);
      this.#parts.device.copy(pool, from * elements, pool, to * elements, elements);
    }
  }

  get #runs(): Runs {
    this.#checkHeld();
    return this.#held;
  }

  #checkHeld(): void {
    if (this.#released) throw givenUp();
  }

  #pool(name: string): DeviceBuffer {
    this.#checkHeld();
    const pool = this.#parts.parameters.variables.get(name);
    if (pool !== undefined) return pool;
    throw new ReceptanceError('MISSING_TENSOR', `the device holds no pool ${name}`, {
      hint: 'Device.loadParameters must make every variable of its uses',
    });
  }
}

/** What is said between two devices. */
export function givenUp(): ReceptanceError {
  return new ReceptanceError('DEVICE_LOST', 'the device was given up, and no other opened yet', {
    hint: 'await model.recover(), or try it again',
  });
}

/** How many of the first, at least one, have in all no more than `most` tokens. */
function fitting(feeds: readonly Feed[], most: number): number {
  let sum = 0;
  const over = feeds.findIndex(({ tokens }) => {
    sum += tokens.length;
    return sum > most;
  });
  return over < 0 ? feeds.length : Math.max(1, over);
}
