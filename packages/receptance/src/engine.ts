import type { Device, DeviceBuffer, Executable, HostArray, Loop, Parameters } from '@receptance/core';
import { ReceptanceError } from '@receptance/core';
import type { Executables, PoolEntry } from './graphs.ts';
import { letEventsIn, MOST_STEPS } from './pace.ts';
import { Queue } from './queue.ts';
import type { Choice } from './sampling.ts';

export interface EngineParts {
  readonly device: Device;
  readonly parameters: Parameters;
  readonly executables: Executables;
  readonly pools: readonly PoolEntry[];
  readonly vocabularySize: number;
  /** Most tokens of a run, and most of them whose logits are wanted. */
  readonly chunk: number;
  readonly rows: number;
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

/**
 * One model on one device: runs over slots of the state pools. It knows rows of the pools and token ids; texts,
 * sessions and settings live above. Calls take turns, so that sessions may be interleaved.
 */
export class Engine {
  readonly pools: readonly PoolEntry[];
  readonly vocabularySize: number;
  readonly chunk: number;
  readonly rows: number;
  readonly #device: Device;
  readonly #parameters: Parameters;
  readonly #executables: Executables;
  readonly #turns = new Queue();
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

  constructor({ device, parameters, executables, pools, vocabularySize, chunk, rows }: EngineParts) {
    this.#device = device;
    this.#parameters = parameters;
    this.#executables = executables;
    this.pools = pools;
    this.vocabularySize = vocabularySize;
    this.chunk = chunk;
    this.rows = rows;
    this.#buffers = {
      tokens: device.alloc('i32', Math.max(chunk, MOST_STEPS)),
      starts: device.alloc('i32', 2),
      slots: device.alloc('i32', 1),
      rows: device.alloc('i32', rows),
      settings: device.alloc('f32', 8),
      u: device.alloc('f32', MOST_STEPS),
      logits: device.alloc('f32', rows * vocabularySize),
      next: device.alloc('i32', MOST_STEPS),
    };
  }

  /** Puts a slot at the start of a text. */
  reset(slot: number): Promise<void> {
    return this.#turns.run(async () => {
      const { slots } = this.#buffers;
      this.#device.write(slots, [slot]);
      await this.#device.run(this.#executables.reset, { sizes: { S: 1 }, inputs: { slots }, outputs: {} });
    });
  }

  /**
   * Reads tokens, at most `chunk`, into the state of a slot.
   * @param rows the tokens, by place and at most as many as `rows`, whose logits are wanted
   * @returns their logits [rows, vocabulary], one row after the other
   */
  feed(slot: number, tokens: readonly number[], rows: readonly number[] = []): Promise<HostArray> {
    return this.#turns.run(async () => {
      const device = this.#device;
      const { logits, ...buffers } = this.#buffers;
      device.write(buffers.tokens, tokens);
      device.write(buffers.starts, [0, tokens.length]);
      device.write(buffers.slots, [slot]);
      if (rows.length > 0) device.write(buffers.rows, rows);
      const inputs = { tokens: buffers.tokens, starts: buffers.starts, slots: buffers.slots, rows: buffers.rows };
      const sizes = { N: tokens.length, S: 1, R: rows.length };
      await device.run(this.#executables.logits, { sizes, inputs, outputs: { logits } });
      const read =
        rows.length === 0 ? new Float32Array(0) : await device.read(logits, 0, rows.length * this.vocabularySize);
      await letEventsIn();
      return read;
    });
  }

  /**
   * Reads a token, chooses the next, reads that, and so on, on the device. The last one chosen is not read yet.
   * @param snapshot the slot that first gets a copy, which is put back when the run fails
   * @returns the tokens chosen, one a step
   */
  decode(slot: number, snapshot: number, { tokens, steps, choice, u }: DecodeRun): Promise<number[]> {
    return this.#turns.run(async () => {
      this.#copy(slot, snapshot);
      try {
        const next = await this.#loop(slot, { tokens: tokens.slice(0, 1), steps, choice, u }, { tokens: 'next' });
        const bad = next.find((token) => token < 0 || token >= this.vocabularySize);
        if (bad === undefined) return next;
        throw new ReceptanceError('BAD_RESULT', `the device chose token ${bad} of ${this.vocabularySize}`, {
          hint: 'its logits are not numbers any more, or its driver is at fault: try another backend',
        });
      } catch (error) {
        this.#copy(snapshot, slot);
        throw error;
      }
    });
  }

  /** Goes back to a snapshot and reads `tokens` again, one a step: the slot is then as if the run had ended there. */
  replay(slot: number, snapshot: number, run: DecodeRun): Promise<void> {
    return this.#turns.run(async () => {
      this.#copy(snapshot, slot);
      if (run.steps > 0) await this.#loop(slot, run, {});
    });
  }

  copySlot(from: number, to: number): Promise<void> {
    return this.#turns.run(async () => this.#copy(from, to));
  }

  readSlot(slot: number): Promise<HostArray[]> {
    return this.#turns.run(() =>
      Promise.all(
        this.pools.map(({ name, elements }) => this.#device.read(this.#pool(name), slot * elements, elements)),
      ),
    );
  }

  /** @param tensors one for each of `pools`, in their order */
  writeSlot(slot: number, tensors: readonly HostArray[]): Promise<void> {
    return this.#turns.run(async () => {
      this.pools.forEach(({ name, elements }, i) => {
        const data = tensors[i];
        if (data !== undefined) this.#device.write(this.#pool(name), data, slot * elements);
      });
    });
  }

  /** Waits for its turn, then frees everything and closes the device. */
  close(): Promise<void> {
    return this.#turns.run(async () => {
      for (const executable of Object.values<Executable>({ ...this.#executables })) executable.free();
      for (const buffer of Object.values(this.#buffers)) this.#device.free(buffer);
      this.#parameters.free();
      await this.#device.close();
    });
  }

  async #loop(slot: number, { tokens, steps, choice, u }: DecodeRun, carry: Loop['carry']): Promise<number[]> {
    const device = this.#device;
    const { next, settings, u: uniforms, logits: _, ...inputs } = this.#buffers;
    device.write(inputs.tokens, tokens);
    device.write(inputs.starts, [0, 1]);
    device.write(inputs.slots, [slot]);
    device.write(inputs.rows, [0]);
    const replayed = 'tokens' in carry ? [] : ['tokens'];
    const outputs = { next };
    const sizes = { N: 1, S: 1, R: 1 };
    if (choice.kind === 'greedy') {
      const loop: Loop = { steps, carry, feed: replayed, collect: ['next'] };
      await device.run(this.#executables.greedy, { sizes, inputs, outputs }, loop);
    } else {
      device.write(settings, choice.settings);
      device.write(uniforms, u);
      const loop: Loop = { steps, carry, feed: [...replayed, 'u'], collect: ['next'] };
      const all = { ...inputs, drawSlots: inputs.slots, settings, u: uniforms };
      await device.run(this.#executables.sample, { sizes, inputs: all, outputs }, loop);
    }
    const chosen = Array.from(await device.read(next, 0, steps));
    await letEventsIn();
    return chosen;
  }

  #copy(from: number, to: number): void {
    for (const { name, elements } of this.pools) {
      const pool = this.#pool(name);
      this.#device.copy(pool, from * elements, pool, to * elements, elements);
    }
  }

  #pool(name: string): DeviceBuffer {
    const pool = this.#parameters.variables.get(name);
    if (pool !== undefined) return pool;
    throw new ReceptanceError('MISSING_TENSOR', `the device holds no pool ${name}`, {
      hint: 'Device.loadParameters must make every variable of its uses',
    });
  }
}
