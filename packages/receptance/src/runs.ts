import type { Device, DeviceBuffer, HostArray, Loop } from '@receptance/core';
import type { Executables, RunLimits } from './graphs.ts';
import { letEventsIn, MOST_STEPS } from './pace.ts';
import type { Choice } from './sampling.ts';

/** Tokens for the state of a slot. */
export interface Feed {
  readonly slot: number;
  readonly tokens: readonly number[];
}

/** What a decode run is given: the tokens known beforehand, and how to choose those that follow. */
export interface DecodeRun {
  /** The first token to read; in a replay, the token to read at every step. */
  readonly tokens: readonly number[];
  readonly steps: number;
  readonly choice: Choice;
  /** f32[steps]: the uniform numbers to draw by. Not used by a greedy choice. */
  readonly u: Float32Array;
}

export interface SlotRun extends DecodeRun {
  readonly slot: number;
}

/** Logits to draw from for the sequence of a slot. */
export interface Draw {
  readonly slot: number;
  readonly logits: HostArray;
  readonly settings: Float32Array;
  readonly u: number;
}

export interface RunsParts {
  readonly device: Device;
  readonly executables: Executables;
  readonly limits: RunLimits;
  readonly vocabularySize: number;
  readonly width: number;
}

/** Runs of several sequences at once: it fills the buffers that they share. Who calls sees to it that calls take turns. */
export class Runs {
  readonly #parts: RunsParts;
  readonly #buffers: {
    readonly tokens: DeviceBuffer;
    readonly starts: DeviceBuffer;
    readonly slots: DeviceBuffer;
    readonly rows: DeviceBuffer;
    readonly settings: DeviceBuffer;
    readonly u: DeviceBuffer;
    readonly logits: DeviceBuffer;
    readonly next: DeviceBuffer;
  };
  #hidden: DeviceBuffer | undefined;

  constructor(parts: RunsParts) {
    const { device, vocabularySize } = parts;
    const { chunk, rows, batch } = parts.limits;
    this.#parts = parts;
    this.#buffers = {
      tokens: device.alloc('i32', Math.max(chunk, batch, MOST_STEPS)),
      starts: device.alloc('i32', batch + 1),
      slots: device.alloc('i32', batch),
      rows: device.alloc('i32', Math.max(chunk, batch)),
      settings: device.alloc('f32', 8 * batch),
      u: device.alloc('f32', MOST_STEPS * batch),
      logits: device.alloc('f32', Math.max(rows, batch) * vocabularySize),
      next: device.alloc('i32', MOST_STEPS * batch),
    };
  }

  /** Puts a slot at the start of a text. */
  async reset(slot: number): Promise<void> {
    const { device, executables } = this.#parts;
    const { slots } = this.#buffers;
    device.write(slots, [slot]);
    await device.run(await executables.get('reset'), { sizes: { S: 1 }, inputs: { slots }, outputs: {} });
  }

  /**
   * Reads tokens, in all at most `chunk`, into the states of slots.
   * @param rows the tokens, by place among all of them, whose logits are wanted
   * @returns their logits [rows, vocabulary], one row after the other
   */
  async read(feeds: readonly Feed[], rows: readonly number[] = []): Promise<HostArray> {
    const { device, executables, vocabularySize } = this.#parts;
    const { logits } = this.#buffers;
    const bound = this.#write(feeds, rows);
    await device.run(await executables.get('logits'), { ...bound, outputs: { logits } });
    const read = rows.length === 0 ? new Float32Array(0) : await device.read(logits, 0, rows.length * vocabularySize);
    await letEventsIn();
    return read;
  }

  /** As `read`, but what the rows are before the head: [rows, width]. */
  async hidden(feed: Feed, rows: readonly number[]): Promise<HostArray> {
    const { device, executables, limits, width } = this.#parts;
    const executable = await executables.get('hidden');
    this.#hidden ??= device.alloc('f32', limits.chunk * width);
    const hidden = this.#hidden;
    await device.run(executable, { ...this.#write([feed], rows), outputs: { hidden } });
    const read = rows.length === 0 ? new Float32Array(0) : await device.read(hidden, 0, rows.length * width);
    await letEventsIn();
    return read;
  }

  /**
   * In every sequence: reads a token, chooses the next, reads that, and so on, on the device. The last one chosen is not
   * read. Sequences choose in the same way, all greedy or all by drawing.
   * @returns the tokens chosen by each sequence, one a step
   */
  decode(runs: readonly SlotRun[], steps: number): Promise<number[][]> {
    return this.#loop(runs, steps, { tokens: 'next' });
  }

  /** Reads `tokens`, one a step, and counts what is drawn as `decode` did. */
  async replay(run: SlotRun): Promise<void> {
    await this.#loop([run], run.steps, {});
  }

  /** @returns the token drawn for each */
  async draw(draws: readonly Draw[]): Promise<number[]> {
    const { device, executables, vocabularySize } = this.#parts;
    const { logits, slots: drawSlots, settings, u, next } = this.#buffers;
    const executable = await executables.get('draw');
    draws.forEach((draw, i) => {
      device.write(logits, draw.logits, i * vocabularySize);
      device.write(settings, draw.settings, i * 8);
    });
    device.write(
      drawSlots,
      draws.map(({ slot }) => slot),
    );
    device.write(
      u,
      draws.map((draw) => draw.u),
    );
    const inputs = { logits, drawSlots, settings, u };
    await device.run(executable, { sizes: { R: draws.length }, inputs, outputs: { next } });
    return Array.from(await device.read(next, 0, draws.length));
  }

  free(): void {
    const { device } = this.#parts;
    for (const buffer of Object.values(this.#buffers)) device.free(buffer);
    if (this.#hidden !== undefined) device.free(this.#hidden);
  }

  /** Packs sequences into a batch. */
  #write(feeds: readonly Feed[], chosen: readonly number[]) {
    const { device } = this.#parts;
    const { tokens, starts, slots, rows } = this.#buffers;
    const packed = feeds.flatMap((feed) => feed.tokens);
    let end = 0;
    device.write(tokens, packed);
    device.write(starts, [0, ...feeds.map((feed) => (end += feed.tokens.length))]);
    device.write(
      slots,
      feeds.map(({ slot }) => slot),
    );
    if (chosen.length > 0) device.write(rows, chosen);
    const sizes = { N: packed.length, S: feeds.length, R: chosen.length };
    return { sizes, inputs: { tokens, starts, slots, rows } };
  }

  async #loop(runs: readonly SlotRun[], steps: number, carry: Loop['carry']): Promise<number[][]> {
    const { device, executables } = this.#parts;
    const { next, settings, u } = this.#buffers;
    const decoding = 'tokens' in carry;
    const { inputs } = this.#write(
      runs.map(({ slot, tokens }) => ({ slot, tokens: tokens.slice(0, 1) })),
      [...runs.keys()],
    );
    if (!decoding) device.write(inputs.tokens, runs[0]?.tokens ?? []);
    const feed = decoding ? [] : ['tokens'];
    const count = runs.length;
    const bound = { sizes: { N: count, S: count, R: count }, outputs: { next } };
    if (runs[0]?.choice.kind !== 'sample') {
      const loop: Loop = { steps, carry, feed, collect: ['next'] };
      await device.run(await executables.get('greedy'), { ...bound, inputs }, loop);
    } else {
      const uniform = new Float32Array(steps * count);
      runs.forEach((run, i) => {
        if (run.choice.kind === 'sample') device.write(settings, run.choice.settings, i * 8);
        for (let step = 0; step < steps; step++) uniform[step * count + i] = run.u[step] ?? 0;
      });
      device.write(u, uniform);
      const loop: Loop = { steps, carry, feed: [...feed, 'u'], collect: ['next'] };
      const all = { ...inputs, drawSlots: inputs.slots, settings, u };
      await device.run(await executables.get('sample'), { ...bound, inputs: all }, loop);
    }
    const chosen = await device.read(next, 0, steps * count);
    await letEventsIn();
    return runs.map((_, i) => Array.from({ length: steps }, (_, step) => chosen[step * count + i] ?? -1));
  }
}
