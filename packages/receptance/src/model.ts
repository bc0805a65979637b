import type { AbortSignalLike, DeviceInfo, HostArray, LanguageModel, ProgressListener } from '@receptance/core';
import { ReceptanceError } from '@receptance/core';
import type { Tokenizer } from '@receptance/tokenizer';
import { Engine, type EngineParts, givenUp } from './engine.ts';
import { type BatchOptions, type Completion, generateBatch } from './generate-batch.ts';
import { badOption, checkGenerate } from './generate-options.ts';
import type { ModelSource } from './load.ts';
import { logProbability } from './log-probability.ts';
import { Queue } from './queue.ts';
import { checkSeed } from './random.ts';
import type { SavedTensor } from './saved-state.ts';
import { type Session, SlotSession } from './session.ts';
import type { Slots } from './slots.ts';
import { type Prompt, tokensOf, type Vocabulary } from './tokens.ts';
import { checkTrace, type Trace } from './trace.ts';

/** More numbers than this are not collected in one array. */
const MOST_LOGITS = 2 ** 28;

/** Bytes on the device, besides buffers for tokens and logits. */
export interface ModelMemory {
  readonly parameterBytes: number;
  /** The state pools: two rows for each session, and one more. */
  readonly stateBytes: number;
  /** What one session holds: it does not grow with the text. */
  readonly sessionBytes: number;
  readonly activationBytes: number;
}

export interface LogitsOptions {
  /** Rows wanted: after every token (the default), or after the last. */
  readonly rows?: 'all' | 'last';
  /** Also give the state after the last token. */
  readonly state?: boolean;
  readonly signal?: AbortSignalLike | undefined;
}

export interface EmbedOptions {
  /** Rows wanted: after the last token (the default), or after every token. */
  readonly rows?: 'all' | 'last';
  readonly signal?: AbortSignalLike | undefined;
}

export interface ReadingOptions {
  readonly signal?: AbortSignalLike | undefined;
  /** Counts tokens. */
  readonly onProgress?: ProgressListener | undefined;
}

export interface Logits {
  /** [rows, vocabulary], row-major. Float64Array from a device that computes in f64. */
  readonly data: Float32Array | Float64Array;
  readonly rows: number;
  readonly vocabularySize: number;
  /** `state.<layer>.<name>`, where it was asked for. */
  readonly state: Readonly<Record<string, SavedTensor>> | undefined;
}

/** A model on a device. Every call throws `MODEL_CLOSED` after `close()`. */
export interface Model {
  /** `rwkv7` and so on. */
  readonly architecture: string;
  readonly layers: number;
  readonly width: number;
  readonly vocabularySize: number;
  /** Tells the weights apart: saved states carry it. 16 hexadecimal digits. */
  readonly fingerprint: string;
  readonly tokenizer: Tokenizer | undefined;
  readonly device: DeviceInfo;
  readonly memory: ModelMemory;
  /** How many sessions there can be at a time. */
  readonly maxSequences: number;
  /** An empty text. @throws ReceptanceError `NO_FREE_SLOT` */
  session(): Promise<Session>;
  /**
   * Reads a text from its start, beside all sessions: what the model expects after each of its tokens.
   * @throws ReceptanceError `NO_TOKENIZER`, `TOKEN_OUT_OF_RANGE`, `BAD_OPTION` for a text too long for one array
   */
  logits(text: Prompt, options?: LogitsOptions): Promise<Logits>;
  /**
   * Negative log likelihood in nats of each token of a text but the first, given those before it: the mean is the
   * loss, and its exponential the perplexity.
   */
  nll(text: Prompt, options?: ReadingOptions): Promise<Float64Array>;
  /**
   * What the model makes of a text: the residual stream after its last block, normed, which the head would read.
   * @returns [width] after the last token, or [tokens, width] for `rows: 'all'`
   * @throws ReceptanceError `EMPTY_TEXT`, `NO_TOKENIZER`, `TOKEN_OUT_OF_RANGE`, `BAD_OPTION` for a text too long for one array
   */
  embed(text: Prompt, options?: EmbedOptions): Promise<Float32Array>;
  /**
   * What the memory of a layer is given, token by token, while it reads a text from its start: for looking inside. Works beside all
   * sessions; the layers before it run op by op.
   * @throws ReceptanceError `BAD_OPTION` for a layer that is not there or a text too long, `EMPTY_TEXT`, `NO_TOKENIZER`, `TOKEN_OUT_OF_RANGE`
   */
  trace(text: Prompt, options: { readonly layer: number }): Promise<Trace>;
  /**
   * Continues several texts together, each in a session of its own that is closed again.
   * @returns the completions in the order of the prompts, however many of them fit beside the sessions that are open
   * @throws ReceptanceError `NO_FREE_SLOT` when all sessions are in use, and what `Session.generate` throws
   */
  generateBatch(prompts: readonly Prompt[], options: BatchOptions): Promise<Completion[]>;
  /**
   * Begins anew on a device that is opened for it, after the old one was lost (`DEVICE_LOST`: a driver that was reset or
   * updated, a page that was long in the background). The weights are loaded again, and each session goes back to the
   * state that it last saved or restored, or to an empty text: its `length` tells. What is under way ends first; a generation
   * goes on from there, or throws `DEVICE_LOST` where all of its text is gone.
   *
   * Does nothing while the device answers: everyone who hears of a loss may call it, and one recovers for all.
   * @throws ReceptanceError `NO_SOURCE`, `WEIGHTS_CHANGED`, and what loading throws; it may then be tried again
   */
  recover(options?: RecoverOptions): Promise<void>;
  /** Frees the device. Sessions are closed with it. Closing twice is legal. */
  close(): Promise<void>;
}

export interface RecoverOptions {
  /** The weights again, where the model was loaded from bytes in memory, which are not kept, or from a source that loading closed. */
  readonly source?: ModelSource | undefined;
  readonly signal?: AbortSignalLike | undefined;
  readonly onProgress?: ProgressListener | undefined;
}

/** A model's weights on a device, ready to run. */
export interface OnDevice {
  readonly parts: EngineParts;
  readonly fingerprint: string;
  readonly memory: ModelMemory;
}

/** Where weights come from once more, open. */
export interface Reopened {
  /** Brings them to a device opened for them. */
  bring(): Promise<OnDevice>;
  close(): Promise<void>;
}

export interface ModelParts {
  readonly model: LanguageModel;
  readonly slots: Slots;
  readonly tokenizer: Tokenizer | undefined;
  readonly onDevice: OnDevice;
  reopen(options: RecoverOptions): Promise<Reopened>;
}

/** Gets the logits of rows, the first of which belongs to token number `at`. */
type RowsListener = (data: HostArray, at: number) => void;

export class LoadedModel implements Model {
  readonly architecture: string;
  readonly layers: number;
  readonly width: number;
  readonly vocabularySize: number;
  readonly tokenizer: Tokenizer | undefined;
  readonly #engine: Engine;
  readonly #reopen: ModelParts['reopen'];
  readonly #slots: Slots;
  readonly #vocabulary: Vocabulary;
  readonly #readings = new Queue();
  readonly #sessions = new Set<SlotSession>();
  #onDevice: OnDevice;
  #closing: Promise<void> | undefined;

  constructor({ model, slots, tokenizer, onDevice, reopen }: ModelParts) {
    this.architecture = model.architecture;
    this.layers = model.layers;
    this.width = model.width;
    this.vocabularySize = model.vocabularySize;
    this.tokenizer = tokenizer;
    this.#onDevice = onDevice;
    this.#reopen = reopen;
    this.#engine = new Engine(onDevice.parts);
    this.#slots = slots;
    this.#vocabulary = { size: model.vocabularySize, tokenizer };
  }

  get device(): DeviceInfo {
    return this.#onDevice.parts.device.info;
  }

  get fingerprint(): string {
    return this.#onDevice.fingerprint;
  }

  get memory(): ModelMemory {
    return this.#onDevice.memory;
  }

  get maxSequences(): number {
    return this.#slots.capacity;
  }

  async session(): Promise<Session> {
    this.#checkOpen();
    const slot = this.#slots.take();
    try {
      await this.#engine.reset(slot.state);
      this.#checkOpen();
    } catch (error) {
      this.#slots.give(slot.state);
      throw error;
    }
    return new SlotSession(
      {
        engine: this.#engine,
        slots: this.#slots,
        sessions: this.#sessions,
        owner: {
          ...{ architecture: this.architecture, vocabularySize: this.vocabularySize },
          ...{ layers: this.layers, width: this.width, fingerprint: this.fingerprint, pools: this.#engine.pools },
        },
        vocabulary: this.#vocabulary,
      },
      slot,
    );
  }

  async logits(text: Prompt, { rows = 'all', state = false, signal }: LogitsOptions = {}): Promise<Logits> {
    this.#checkOpen();
    const { vocabularySize } = this;
    const tokens = tokensOf(text, this.#vocabulary);
    const wanted = rows === 'last' ? Math.min(1, tokens.length) : tokens.length;
    const size = wanted * vocabularySize;
    if (size > MOST_LOGITS) {
      throw badOption(
        `${wanted} rows of ${vocabularySize} logits are too many`,
        "give a shorter text, or rows: 'last'",
      );
    }
    return this.#readings.run(async () => {
      const data = this.device.float === 'f64' ? new Float64Array(size) : new Float32Array(size);
      const first = tokens.length - wanted;
      await this.#read(tokens, first, (part, at) => data.set(part, (at - first) * vocabularySize), signal);
      return { data, rows: wanted, vocabularySize, state: state ? await this.#scratchState() : undefined };
    });
  }

  async nll(text: Prompt, { signal, onProgress }: ReadingOptions = {}): Promise<Float64Array> {
    this.#checkOpen();
    const tokens = tokensOf(text, this.#vocabulary);
    const losses = new Float64Array(Math.max(0, tokens.length - 1));
    await this.#readings.run(() =>
      this.#read(
        tokens.slice(0, -1),
        0,
        (part, at) => {
          for (let row = 0; row * this.vocabularySize < part.length; row++) {
            const logits = part.subarray(row * this.vocabularySize, (row + 1) * this.vocabularySize);
            losses[at + row] = -logProbability(logits, tokens[at + row + 1] ?? 0);
          }
          onProgress?.({ what: 'reading', done: at + part.length / this.vocabularySize, total: losses.length });
        },
        signal,
      ),
    );
    return losses;
  }

  async embed(text: Prompt, { rows = 'last', signal }: EmbedOptions = {}): Promise<Float32Array> {
    this.#checkOpen();
    const tokens = tokensOf(text, this.#vocabulary);
    if (tokens.length === 0 && rows === 'last') {
      throw emptyText('an empty text has no last token');
    }
    const first = rows === 'last' ? tokens.length - 1 : 0;
    const size = (tokens.length - first) * this.width;
    if (size > MOST_LOGITS) {
      throw badOption(`${tokens.length} rows of ${this.width} are too many`, "give a shorter text, or rows: 'last'");
    }
    return this.#readings.run(async () => {
      const data = new Float32Array(size);
      const { chunk } = this.#engine.limits;
      await this.#engine.reset(this.#slots.scratch);
      for (let at = 0; at < tokens.length; at += chunk) {
        signal?.throwIfAborted();
        this.#checkOpen();
        const part = tokens.slice(at, at + chunk);
        const wanted = Array.from(part.keys()).filter((row) => at + row >= first);
        const read = await this.#engine.hidden(this.#slots.scratch, part, wanted);
        if (wanted.length > 0) data.set(read, Math.max(0, at - first) * this.width);
      }
      return data;
    });
  }

  async trace(text: Prompt, { layer }: { readonly layer: number }): Promise<Trace> {
    this.#checkOpen();
    const tokens = tokensOf(text, this.#vocabulary);
    checkTrace(tokens, layer, this.layers);
    if (tokens.length === 0) throw emptyText('an empty text leaves no trace');
    return this.#engine.trace(tokens, layer);
  }

  async generateBatch(prompts: readonly Prompt[], options: BatchOptions): Promise<Completion[]> {
    this.#checkOpen();
    // All wrong arguments are found before anything runs.
    const texts = prompts.map((prompt) => tokensOf(prompt, this.#vocabulary));
    const { stopTokens } = checkGenerate({ ...options, prompt: [] }, this.#vocabulary);
    if (options.seed !== undefined) checkSeed(options.seed + Math.max(0, texts.length - 1));
    if (texts.length === 0) return [];
    return generateBatch(() => this.session(), this.#slots.available, texts, {
      ...options,
      stopTokens: [...stopTokens],
    });
  }

  async recover(options: RecoverOptions = {}): Promise<void> {
    this.#checkOpen();
    await this.#readings.run(async () => {
      this.#checkOpen();
      if (await this.#answers()) return;
      // Before anything is given up.
      const source = await this.#reopen(options);
      try {
        await this.#holdAll(() => this.#renew(source));
      } finally {
        await source.close();
      }
    });
  }

  /** Whether the device still reads a token. */
  #answers(): Promise<boolean> {
    return this.#engine.logits(this.#slots.scratch, [0], [0]).then(
      () => true,
      () => false,
    );
  }

  async #renew(source: Reopened): Promise<void> {
    this.#checkOpen();
    for (const session of this.#sessions) session.forget(givenUp());
    await this.#engine.renew(async () => {
      this.#onDevice = await source.bring();
      return this.#onDevice.parts;
    });
    const ended = await Promise.allSettled([...this.#sessions].map((session) => session.goBack()));
    for (const end of ended) if (end.status === 'rejected') throw end.reason;
  }

  /** Does a task while no session is in the middle of anything; a fork that was being made is held, too. */
  #holdAll(task: () => Promise<void>, held: ReadonlySet<Session> = new Set()): Promise<void> {
    const next = [...this.#sessions].find((session) => !held.has(session));
    return next === undefined ? task() : next.hold(() => this.#holdAll(task, new Set([...held, next])));
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    // A fork that was under way is a session of its own when its origin is closed.
    while (this.#sessions.size > 0) await Promise.all([...this.#sessions].map((session) => session.close()));
    await this.#readings.run(() => this.#engine.close());
  }

  /** Reads tokens from the start of a text into the scratch slot, and gives out logits from token `first` on. */
  async #read(
    tokens: readonly number[],
    first: number,
    onRows: RowsListener,
    signal: AbortSignalLike | undefined,
  ): Promise<void> {
    const { chunk, rows } = this.#engine.limits;
    await this.#engine.reset(this.#slots.scratch);
    for (let at = 0; at < tokens.length; ) {
      signal?.throwIfAborted();
      this.#checkOpen();
      const end = at < first ? Math.min(first, at + chunk) : Math.min(tokens.length, at + chunk, at + rows);
      const wanted = at < first ? [] : Array.from({ length: end - at }, (_, row) => row);
      const data = await this.#engine.logits(this.#slots.scratch, tokens.slice(at, end), wanted);
      if (wanted.length > 0) onRows(data, at);
      at = end;
    }
  }

  async #scratchState(): Promise<Record<string, SavedTensor>> {
    const { pools } = this.#engine;
    const data = await this.#engine.readSlot(this.#slots.scratch);
    return Object.fromEntries(
      pools.flatMap(({ name, shape }, i) => {
        const numbers = data[i];
        return numbers === undefined || !name.startsWith('state.')
          ? []
          : [[name, { shape: [...shape], data: numbers }]];
      }),
    );
  }

  #checkOpen(): void {
    if (this.#closing === undefined) return;
    throw new ReceptanceError('MODEL_CLOSED', 'this model is closed', { hint: 'load it again' });
  }
}

function emptyText(message: string): ReceptanceError {
  return new ReceptanceError('EMPTY_TEXT', message, { hint: 'give at least one token' });
}
