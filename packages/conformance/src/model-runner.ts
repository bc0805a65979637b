import {
  type Device,
  type DeviceBuffer,
  type Executable,
  type Graph,
  greedyGraph,
  type LanguageModel,
  type Loop,
  logitsGraph,
  type Parameters,
  resetGraph,
  type WeightSource,
} from '@receptance/core';
import type { Numbers } from './case.ts';
import { startsOf } from './spec.ts';

/** Tokens that one sequence is given in a run, and the slot where its state lies. */
export interface Piece {
  readonly slot: number;
  readonly tokens: ArrayLike<number>;
}

export interface RunnerLimits {
  /** Tokens in one run. */
  readonly N: number;
  /** Sequences in one run. */
  readonly S: number;
  /** Slots of the state pools. */
  readonly Z: number;
}

/** A model on a device, as the checks of whole models use it: each call is one run, and waits for it. */
export class ModelRunner {
  readonly #device: Device;
  readonly #model: LanguageModel;
  readonly #parameters: Parameters;
  readonly #executables: Readonly<Record<'logits' | 'greedy' | 'reset', Executable>>;

  private constructor(
    device: Device,
    model: LanguageModel,
    parameters: Parameters,
    executables: Readonly<Record<'logits' | 'greedy' | 'reset', Executable>>,
  ) {
    this.#device = device;
    this.#model = model;
    this.#parameters = parameters;
    this.#executables = executables;
  }

  /** Loads a model, compiles its graphs and puts every slot at the start of a text. */
  static async open(
    device: Device,
    model: LanguageModel,
    weights: WeightSource,
    { N, S, Z }: RunnerLimits,
  ): Promise<ModelRunner> {
    const graphs = { logits: logitsGraph(model), greedy: greedyGraph(model), reset: resetGraph(model) };
    const parameters = await device.loadParameters(weights, Object.values(graphs), { limits: { Z } });
    const compile = (graph: Graph): Promise<Executable> => device.compile(graph, parameters, { N, S, Z, R: N });
    const executables = {
      logits: await compile(graphs.logits),
      greedy: await compile(graphs.greedy),
      reset: await compile(graphs.reset),
    };
    const runner = new ModelRunner(device, model, parameters, executables);
    for (let slot = 0; slot < Z; slot += S) {
      await runner.reset(Array.from({ length: Math.min(S, Z - slot) }, (_, s) => slot + s));
    }
    return runner;
  }

  async reset(slots: readonly number[]): Promise<void> {
    await this.#run('reset', { S: slots.length }, { slots }, {});
  }

  /** Logits after every token of every piece, `[N, V]`, in the order of the pieces. */
  async logits(pieces: readonly Piece[]): Promise<Numbers> {
    const packed = pack(pieces);
    const rows = packed.tokens.map((_, row) => row);
    const sizes = { N: rows.length, S: pieces.length, R: rows.length };
    const elements = rows.length * this.#model.vocabularySize;
    const { logits } = await this.#run('logits', sizes, { ...packed, rows }, { logits: ['f32', elements] });
    return logits ?? new Float32Array();
  }

  /**
   * The tokens that follow each piece, the likeliest each time, `[steps, S]`: one run reads the pieces, one run with a
   * loop makes the others.
   */
  async greedy(pieces: readonly Piece[], steps: number): Promise<Numbers> {
    const packed = pack(pieces);
    const S = pieces.length;
    const rows = packed.starts.slice(1).map((end) => end - 1);
    const first = await this.#run(
      'greedy',
      { N: packed.tokens.length, S, R: S },
      { ...packed, rows },
      { next: ['i32', S] },
    );
    const next = [...(first['next'] ?? [])];
    return steps === 1
      ? Int32Array.from(next)
      : Int32Array.from([...next, ...(await this.#continue(pieces, next, steps - 1))]);
  }

  async #continue(pieces: readonly Piece[], tokens: readonly number[], steps: number): Promise<Numbers> {
    const S = pieces.length;
    const each = Array.from({ length: S }, (_, s) => s);
    const inputs = { tokens, starts: [...each, S], slots: pieces.map(({ slot }) => slot), rows: each };
    const loop = { steps, carry: { tokens: 'next' }, feed: [], collect: ['next'] };
    const { next } = await this.#run('greedy', { N: S, S, R: S }, inputs, { next: ['i32', S * steps] }, loop);
    return next ?? new Int32Array();
  }

  /** A slot's state, by the names of the model's entries. */
  async state(slot: number): Promise<Record<string, Numbers>> {
    const state: Record<string, Numbers> = {};
    for (const { name, row, pool } of this.#pools()) state[name] = await this.#device.read(pool, slot * row, row);
    return state;
  }

  /** Puts a state that `state` gave into a slot. */
  restore(slot: number, state: Readonly<Record<string, Numbers>>): void {
    for (const { name, row, pool } of this.#pools()) {
      const numbers = state[name];
      if (numbers !== undefined) this.#device.write(pool, numbers, slot * row);
    }
  }

  /** Copies a state from slot to slot on the device. */
  fork(from: number, to: number): void {
    for (const { row, pool } of this.#pools()) this.#device.copy(pool, from * row, pool, to * row, row);
  }

  free(): void {
    for (const executable of Object.values(this.#executables)) executable.free();
    this.#parameters.free();
  }

  #pools(): { name: string; row: number; pool: DeviceBuffer }[] {
    return this.#model.state.map(({ name, shape }) => {
      const pool = this.#parameters.variables.get(name);
      if (pool === undefined) throw new Error(`the device does not show variable ${name}`);
      return { name, pool, row: shape.reduce((product, size) => product * size, 1) };
    });
  }

  async #run(
    which: 'logits' | 'greedy' | 'reset',
    sizes: Readonly<Record<string, number>>,
    given: Readonly<Record<string, readonly number[]>>,
    wanted: Readonly<Record<string, readonly ['f32' | 'i32', number]>>,
    loop?: Loop,
  ): Promise<Record<string, Numbers>> {
    const device = this.#device;
    const inputs: Record<string, DeviceBuffer> = {};
    const outputs: Record<string, DeviceBuffer> = {};
    for (const [name, data] of Object.entries(given)) {
      inputs[name] = device.alloc('i32', data.length);
      device.write(inputs[name], data);
    }
    for (const [name, [dtype, elements]] of Object.entries(wanted)) outputs[name] = device.alloc(dtype, elements);
    try {
      await device.run(this.#executables[which], { sizes, inputs, outputs }, loop);
      const results: Record<string, Numbers> = {};
      for (const [name, buffer] of Object.entries(outputs)) results[name] = await device.read(buffer);
      return results;
    } finally {
      for (const buffer of [...Object.values(inputs), ...Object.values(outputs)]) device.free(buffer);
    }
  }
}

function pack(pieces: readonly Piece[]): { tokens: number[]; starts: number[]; slots: number[] } {
  return {
    tokens: pieces.flatMap(({ tokens }) => Array.from(tokens)),
    starts: startsOf(pieces.map(({ tokens }) => tokens.length)),
    slots: pieces.map(({ slot }) => slot),
  };
}
