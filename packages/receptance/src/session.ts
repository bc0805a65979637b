import type { AbortSignalLike, HostArray } from '@receptance/core';
import { ReceptanceError } from '@receptance/core';
import { StreamingDecoder } from '@receptance/tokenizer';
import { type ChatInput, type ChatOptions, checkChat, isWithinTurn, replyOf } from './chat.ts';
import type { Engine } from './engine.ts';
import { checkGenerate, type GenerateOptions, type Generation } from './generate-options.ts';
import { chooseOnHost, type HostWork, type TokenLogprobs } from './host-choice.ts';
import { nextSteps } from './pace.ts';
import { Queue } from './queue.ts';
import { uniform } from './random.ts';
import type { DecodeRun } from './runs.ts';
import { type Choice, type ChoiceOptions, checkChoice } from './sampling.ts';
import { checkState, type RestoreOptions, type SavedState, type StateOwner, TAIL } from './saved-state.ts';
import type { Slot, Slots } from './slots.ts';
import { StopStrings } from './stop-strings.ts';
import { type Prompt, tokensOf, type Vocabulary } from './tokens.ts';

/** A token as it is made, and the text that it completes: empty while a character of UTF-8 is not whole yet. */
export interface Piece {
  readonly token: number;
  readonly text: string;
  /** Where they were asked for. */
  readonly logprobs?: TokenLogprobs;
}

/** Why a generation ended: at a stop token or a stop string, or at `maxTokens`. */
export type Finish = 'stop' | 'length';

/**
 * One text that a model reads and continues. Calls act in the order they are made, each on the text as it then is;
 * sessions of one model may be interleaved.
 *
 * A generation that is left early, by `break` or an abort, leaves the session at exactly the tokens it gave out. Other
 * calls may come between two of its tokens; it then goes on from the text as they leave it.
 *
 * Every call throws `SESSION_CLOSED` after `close()`, and `SESSION_FAILED` after a failure of the device has left the state unknown.
 */
export interface Session {
  /** Tokens of the text so far. */
  readonly length: number;
  /**
   * Appends to the text. Nothing is appended when it fails or is aborted; an empty prompt appends nothing.
   * @returns how many tokens were appended
   * @throws ReceptanceError `NO_TOKENIZER`, `TOKEN_OUT_OF_RANGE`
   */
  prefill(prompt: Prompt, options?: { readonly signal?: AbortSignalLike | undefined }): Promise<number>;
  /**
   * Chooses the next token and appends it, whatever it is. An empty text is first given the tokenizer's end of text.
   * @throws ReceptanceError `BAD_SAMPLING`, `EMPTY_TEXT`
   */
  decode(options?: ChoiceOptions): Promise<number>;
  /**
   * Continues the text, token after token. A stop token ends it and is not part of the text; it is given out only when
   * text that was held back for a stop string comes with it.
   * An empty text is first given the tokenizer's end of text, with which texts begin in training.
   * @returns an iterator whose last value says why it ended
   * @throws ReceptanceError `BAD_SAMPLING`, `BAD_OPTION`, `TOKEN_OUT_OF_RANGE`, `NO_TOKENIZER` at once, `EMPTY_TEXT`,
   * `BAD_LOGITS`
   */
  generate(options: GenerateOptions): AsyncGenerator<Piece, Finish, void>;
  /**
   * Appends turns of a chat, `User: …` and so on, and gives out the reply, which ends before an empty line or the end of
   * text. After it the session stands ready for the user's next turn.
   * @param input what the user says, or messages, e.g. a system text and the turns so far in a new session
   * @throws ReceptanceError as `generate`
   */
  chat(input: ChatInput, options: ChatOptions): AsyncGenerator<Piece, Finish, void>;
  /** A second session with the same text. @throws ReceptanceError `NO_FREE_SLOT` */
  fork(): Promise<Session>;
  /** The state that `Model.recover` goes back to is the last one saved or restored, by this session or what it was forked from. */
  save(): Promise<SavedState>;
  /** Takes the place of the text so far. @throws ReceptanceError `STATE_MISMATCH`, `STATE_OF_OTHER_WEIGHTS` */
  restore(saved: SavedState, options?: RestoreOptions): Promise<void>;
  /** Gives its slot to others. Closing twice is legal. */
  close(): Promise<void>;
}

export interface SessionParts {
  readonly engine: Engine;
  readonly slots: Slots;
  /** All that are open: a session enters and leaves by itself. */
  readonly sessions: Set<SlotSession>;
  readonly owner: StateOwner;
  readonly vocabulary: Vocabulary;
}

interface Text {
  readonly length: number;
  /** The last tokens, at most `TAIL`; of these the last is not in the state yet. */
  readonly tail: readonly number[];
}

/** What a session begins with, unless it is an empty text. */
interface Beginning {
  readonly text?: Text;
  readonly kept?: Kept | undefined;
}

/** What was last saved or restored, in arrays that nobody else has. */
interface Kept {
  readonly text: Text;
  /** In the order of the pools. */
  readonly data: readonly HostArray[];
}

/** A token that was chosen: its text, now that it is part of the session's, or none when it ends that. */
interface Taken {
  readonly token: number;
  readonly text: string | undefined;
}

/** A run whose tokens are given out one by one; the state is ahead of the text until all are. */
interface Ahead extends DecodeRun {
  readonly chosen: readonly number[];
  given: number;
  readonly logprobs?: TokenLogprobs | undefined;
}

export class SlotSession implements Session {
  readonly #parts: SessionParts;
  /** Numbers of the pools' rows: the state, and where a copy is kept while a run may have to be taken back. */
  readonly #slot: number;
  readonly #snapshot: number;
  readonly #turns = new Queue();
  #text: Text;
  #ahead: Ahead | undefined;
  /** Has read the text; made anew when the text changed otherwise than token by token. */
  #decoder: StreamingDecoder | undefined;
  #kept: Kept | undefined;
  /** How often all of a text was lost with a device. */
  #losses = 0;
  #closed = false;
  #failure: unknown;

  constructor(parts: SessionParts, slot: Slot, { text = EMPTY, kept }: Beginning = {}) {
    this.#kept = kept;
    this.#parts = parts;
    this.#slot = slot.state;
    this.#snapshot = slot.snapshot;
    this.#text = text;
    parts.sessions.add(this);
  }

  get length(): number {
    return this.#text.length;
  }

  async prefill(prompt: Prompt, { signal }: { readonly signal?: AbortSignalLike | undefined } = {}): Promise<number> {
    const tokens = tokensOf(prompt, this.#parts.vocabulary);
    return this.#turn(async () => {
      await this.#append(tokens, signal);
      return tokens.length;
    });
  }

  async decode(options: ChoiceOptions = {}): Promise<number> {
    const choice = checkChoice(options);
    return this.#turn(async () => {
      const run = await this.#runAhead(choice, 1);
      const [token = 0] = run.chosen;
      this.#give(run, token);
      return token;
    });
  }

  generate(options: GenerateOptions): AsyncGenerator<Piece, Finish, void> {
    this.#checkOpen();
    return this.#generate(checkGenerate(options, this.#parts.vocabulary));
  }

  chat(input: ChatInput, options: ChatOptions): AsyncGenerator<Piece, Finish, void> {
    this.#checkOpen();
    return replyOf(this.#generate(checkChat(input, options, this.#parts.vocabulary)));
  }

  async fork(): Promise<Session> {
    return this.#turn(async () => {
      const { engine, slots } = this.#parts;
      const slot = slots.take();
      try {
        await engine.copySlot(this.#slot, slot.state);
      } catch (error) {
        slots.give(slot.state);
        throw error;
      }
      return new SlotSession(this.#parts, slot, { text: this.#text, kept: this.#kept });
    });
  }

  async save(): Promise<SavedState> {
    return this.#turn(async () => {
      const { engine, owner } = this.#parts;
      const { pools, ...model } = owner;
      const { length, tail } = this.#text;
      const data = await engine.readSlot(this.#slot);
      const tensors = Object.fromEntries(
        pools.map(({ name, shape }, i) => [name, { shape: [...shape], data: data[i] ?? new Float32Array(0) }]),
      );
      this.#kept = { text: this.#text, data: data.map((numbers) => numbers.slice()) };
      return { version: 1, ...model, length, tail: [...tail], tensors };
    });
  }

  async restore(saved: SavedState, options: RestoreOptions = {}): Promise<void> {
    const { engine, owner } = this.#parts;
    const data = checkState(saved, owner, options).map((numbers) => numbers.slice());
    const kept: Kept = { text: { length: saved.length, tail: [...saved.tail] }, data };
    return this.#turn(async () => {
      await this.#orFail(() => engine.writeSlot(this.#slot, data));
      this.#replaceText(kept.text);
      this.#kept = kept;
    });
  }

  /** Does a task when nothing is under way here, and holds up what comes after it. */
  hold<T>(task: () => Promise<T>): Promise<T> {
    return this.#turns.run(task);
  }

  /** The device forgot everything. Until `goBack` the state is not known. */
  forget(reason: unknown): void {
    this.#failure = reason;
    this.#ahead = undefined;
  }

  /** On a device that knows nothing of this session, takes up the last state saved, or the start of a text. */
  async goBack(): Promise<void> {
    const { engine } = this.#parts;
    const kept = this.#kept;
    await this.#orFail(() => (kept === undefined ? engine.reset(this.#slot) : engine.writeSlot(this.#slot, kept.data)));
    const text = kept?.text ?? EMPTY;
    if (text.length === 0 && this.#text.length > 0) this.#losses++;
    this.#replaceText(text);
    this.#failure = undefined;
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#parts.sessions.delete(this);
    await this.#turns.run(async () => this.#parts.slots.give(this.#slot));
  }

  async *#generate(generation: Generation): AsyncGenerator<Piece, Finish, void> {
    generation.signal?.throwIfAborted();
    const { engine } = this.#parts;
    engine.generations++;
    try {
      return yield* this.#continue(generation);
    } finally {
      engine.generations--;
    }
  }

  async *#continue(generation: Generation): AsyncGenerator<Piece, Finish, void> {
    const { maxTokens, stopTokens, signal, stepsPerRun } = generation;
    this.#parts.engine.expect(generation.work === undefined ? generation.choice.kind : 'draw');
    const stopping = new StopStrings(generation.stop);
    const made: number[] = [];
    let steps = stepsPerRun ?? 1;
    let losses: number | undefined;
    // The prompt and the first token come in one turn, since one call asks for them.
    const choose = async () => {
      if (losses === undefined) await this.#appendPrompt(generation);
      else if (losses !== this.#losses) throw textLost();
      losses = this.#losses;
      const began = performance.now();
      const run = await this.#choose(generation, made, Math.min(steps, maxTokens - made.length));
      if (stepsPerRun === undefined) steps = nextSteps(run.steps, performance.now() - began);
      return { run, first: this.#take(run, stopTokens) };
    };
    if (maxTokens === 0) await this.#turn(() => this.#appendPrompt(generation));
    while (made.length < maxTokens) {
      signal?.throwIfAborted();
      const { run, first } = await this.#turn(choose);
      for (let taken = first; taken !== undefined; taken = this.#nextOf(run, stopTokens)) {
        const { token } = taken;
        if (taken.text === undefined) {
          const text = stopping.flush();
          if (text !== '') yield { token, text };
          return 'stop';
        }
        const { text, stopped } = stopping.push(taken.text);
        made.push(token);
        const rest = made.length < maxTokens || stopped ? '' : stopping.flush();
        yield { token, text: text + rest, ...(run.logprobs && { logprobs: run.logprobs }) };
        if (stopped) return 'stop';
        signal?.throwIfAborted();
      }
    }
    return 'length';
  }

  async #appendPrompt({ prompt, promptWithinTurn, signal }: Generation): Promise<void> {
    const within = promptWithinTurn !== undefined && isWithinTurn(this.#text.tail, this.#parts.vocabulary);
    const tokens = within ? promptWithinTurn : prompt;
    if (tokens.length > 0) await this.#append(tokens, signal);
  }

  /** Runs a task when those before it are done, on a state that is that of the text. */
  #turn<T>(task: () => Promise<T>): Promise<T> {
    return this.#turns.run(async () => {
      this.#checkOpen();
      await this.#settle();
      return task();
    });
  }

  /** Takes back the steps whose tokens nobody was given. */
  async #settle(): Promise<void> {
    const ahead = this.#ahead;
    this.#ahead = undefined;
    if (ahead === undefined || ahead.given === ahead.chosen.length) return;
    const tokens = [...ahead.tokens, ...ahead.chosen].slice(0, ahead.given);
    const run = { ...ahead, tokens, steps: ahead.given };
    await this.#orFail(() => this.#parts.engine.replay(this.#slot, this.#snapshot, run));
  }

  /** Reads all of the text but its last token: that is read when the next is wanted. */
  async #append(tokens: readonly number[], signal: AbortSignalLike | undefined): Promise<void> {
    const { engine } = this.#parts;
    const read = [...this.#text.tail.slice(-1), ...tokens].slice(0, -1);
    if (read.length > 0) await engine.copySlot(this.#slot, this.#snapshot);
    try {
      for (let at = 0; at < read.length; at += engine.limits.chunk) {
        signal?.throwIfAborted();
        this.#checkOpen();
        await engine.feed(this.#slot, read.slice(at, at + engine.limits.chunk));
      }
      signal?.throwIfAborted();
    } catch (error) {
      if (read.length > 0) await this.#orFail(() => engine.copySlot(this.#snapshot, this.#slot));
      throw error;
    }
    const { length, tail } = this.#text;
    this.#replaceText({ length: length + tokens.length, tail: [...tail, ...tokens].slice(-TAIL) });
  }

  #choose({ choice, work }: Generation, made: readonly number[], steps: number): Promise<Ahead> {
    return work === undefined ? this.#runAhead(choice, steps) : this.#chooseOnHost(choice, work, made);
  }

  async #chooseOnHost(choice: Choice, work: HostWork, tokens: readonly number[]): Promise<Ahead> {
    await this.#begin();
    const { engine } = this.#parts;
    const { length, tail } = this.#text;
    const u = choice.kind === 'sample' ? uniform(choice.seed, length) : 0;
    const logits = await engine.step(this.#slot, this.#snapshot, tail.at(-1) ?? 0);
    try {
      const parts = { engine, slot: this.#slot, choice, u, work, context: { tokens: [...tokens], length } };
      const { token, logprobs } = await chooseOnHost(logits, parts);
      const run: DecodeRun = { tokens: tail.slice(-1), steps: 1, choice, u: Float32Array.of(u) };
      const ahead: Ahead = { ...run, chosen: [token], given: 0, logprobs };
      this.#ahead = ahead;
      return ahead;
    } catch (error) {
      await this.#orFail(() => engine.copySlot(this.#snapshot, this.#slot));
      throw error;
    }
  }

  /** A text must have a token before another can be chosen. */
  async #begin(): Promise<void> {
    if (this.#text.length === 0) await this.#append([this.#firstToken()], undefined);
  }

  async #runAhead(choice: Choice, steps: number): Promise<Ahead> {
    await this.#begin();
    const { length, tail } = this.#text;
    const seed = choice.kind === 'sample' ? choice.seed : 0;
    const u = Float32Array.from({ length: steps }, (_, i) => uniform(seed, length + i));
    const run: DecodeRun = { tokens: tail.slice(-1), steps, choice, u };
    const chosen = await this.#parts.engine.decode(this.#slot, this.#snapshot, run);
    const ahead: Ahead = { ...run, steps: chosen.length, chosen, given: 0 };
    this.#ahead = ahead;
    return ahead;
  }

  /** Of the rest of a run. None is taken past a call that was made since: that takes the rest back. */
  #nextOf(run: Ahead, stopTokens: ReadonlySet<number>): Taken | undefined {
    if (this.#closed) this.#checkOpen();
    return run === this.#ahead && this.#turns.idle ? this.#take(run, stopTokens) : undefined;
  }

  #take(run: Ahead, stopTokens: ReadonlySet<number>): Taken | undefined {
    const token = run.chosen[run.given];
    if (token === undefined) return undefined;
    return { token, text: stopTokens.has(token) ? undefined : this.#give(run, token) };
  }

  /** Makes a token of a run part of the text. */
  #give(run: Ahead, token: number): string {
    const decoder = this.#decoder ?? this.#newDecoder();
    run.given++;
    this.#text = { length: this.#text.length + 1, tail: [...this.#text.tail, token].slice(-TAIL) };
    this.#decoder = decoder;
    return this.#decode(decoder, token);
  }

  #newDecoder(): StreamingDecoder | undefined {
    const { tokenizer } = this.#parts.vocabulary;
    if (tokenizer === undefined) return undefined;
    const decoder = new StreamingDecoder(tokenizer);
    for (const token of this.#text.tail) this.#decode(decoder, token);
    return decoder;
  }

  /** A model may have more tokens than its tokenizer: these are no text. */
  #decode(decoder: StreamingDecoder | undefined, token: number): string {
    return decoder !== undefined && token < (this.#parts.vocabulary.tokenizer?.vocabularySize ?? 0)
      ? decoder.push(token)
      : '';
  }

  #replaceText(text: Text): void {
    this.#text = text;
    this.#decoder = undefined;
  }

  #firstToken(): number {
    const endOfText = this.#parts.vocabulary.tokenizer?.endOfText;
    if (endOfText !== undefined) return endOfText;
    throw new ReceptanceError('EMPTY_TEXT', 'there is no text to continue', {
      hint: 'prefill at least one token: without a tokenizer no token is known to begin a text',
    });
  }

  /** For what may leave the state neither as it was nor as it should be. */
  async #orFail(task: () => Promise<void>): Promise<void> {
    try {
      await task();
    } catch (error) {
      this.#failure = error;
      throw error;
    }
  }

  #checkOpen(): void {
    if (this.#closed) {
      throw new ReceptanceError('SESSION_CLOSED', 'this session is closed', {
        hint: 'begin another with model.session()',
      });
    }
    if (this.#failure !== undefined) {
      throw new ReceptanceError('SESSION_FAILED', 'the device failed, and the state of this session is not known', {
        hint: 'close it, and restore a saved state into another; or after the device was lost, model.recover()',
        cause: this.#failure,
      });
    }
  }
}

const EMPTY: Text = { length: 0, tail: [] };

function textLost(): ReceptanceError {
  return new ReceptanceError('DEVICE_LOST', 'the text that was being continued was lost with the device', {
    hint: 'begin it again; save() says what model.recover() goes back to',
  });
}
