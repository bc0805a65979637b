import type { Tokenizer } from '@receptance/tokenizer';
import type { ChatMessage, Finish, Piece, RestoreOptions, SavedState, Session } from 'receptance';
import type { ChoiceGiven } from '../choice.ts';

/** Turns that can be taken back: each keeps a state. */
const MOST_TURNS = 8;

export interface Settings {
  /** `chat`: turns of User and Assistant. `plain`: what is said is continued, as it is. */
  readonly form: 'chat' | 'plain';
  readonly system: string | undefined;
  readonly maxTokens: number;
  readonly choice: ChoiceGiven;
}

export interface Answer {
  readonly text: string;
  readonly tokens: number;
  readonly finish: Finish | 'interrupted';
}

/** What a conversation needs of a session. */
export type Talking = Pick<Session, 'length' | 'prefill' | 'generate' | 'chat' | 'save' | 'restore'>;

/** A turn, and the text before it. */
interface Turn {
  readonly before: SavedState;
  readonly question: string;
  /** How often it was answered: another seed each time. */
  readonly tries: number;
}

interface Said {
  readonly question: string;
  readonly answer: string;
}

/** Where a conversation stands, to come back to. */
interface Place {
  readonly state: SavedState;
  readonly turns: readonly Turn[];
  readonly said: readonly Said[];
}

/** Questions and answers on one session. The state carries the history: nothing is ever read twice. */
export class Conversation {
  readonly #session: Talking;
  readonly #tokenizer: Tokenizer;
  readonly #settings: Settings;
  readonly #places = new Map<string, Place>();
  #name = '1';
  #turns: Turn[] = [];
  #said: Said[] = [];

  constructor(session: Talking, tokenizer: Tokenizer, settings: Settings) {
    this.#session = session;
    this.#tokenizer = tokenizer;
    this.#settings = settings;
  }

  /** Tokens so far. */
  get length(): number {
    return this.#session.length;
  }

  get name(): string {
    return this.#name;
  }

  get names(): string[] {
    return [...new Set([...this.#places.keys(), this.#name])];
  }

  /** What was said in it, for people: the model needs none of it any more. */
  get said(): readonly Said[] {
    return this.#said;
  }

  ask(question: string, onText: (text: string) => void, signal: AbortSignal): Promise<Answer> {
    return this.#turn({ question, tries: 0 }, onText, signal);
  }

  /** Asks the last question again. */
  async retry(onText: (text: string) => void, signal: AbortSignal): Promise<Answer | undefined> {
    const last = await this.undo();
    return last && this.#turn({ question: last.question, tries: last.tries + 1 }, onText, signal);
  }

  /** Takes the last question and its answer back. */
  async undo(): Promise<Turn | undefined> {
    const last = this.#turns.pop();
    if (last === undefined) return undefined;
    await this.#session.restore(last.before);
    this.#said.pop();
    return last;
  }

  save(): Promise<SavedState> {
    return this.#session.save();
  }

  /** @throws ReceptanceError of `Session.restore` */
  async load(state: SavedState, options: RestoreOptions = {}): Promise<void> {
    await this.#session.restore(state, options);
    this.#turns = [];
    this.#said = [];
  }

  /** Leaves this conversation where it stands and goes on with a copy. @returns its name */
  async fork(name: string | undefined): Promise<string> {
    let number = this.names.length + 1;
    while (name === undefined && this.names.includes(`${number}`)) number++;
    this.#places.set(this.#name, await this.#here());
    this.#name = name ?? `${number}`;
    return this.#name;
  }

  /** @returns false when there is none of that name */
  async goTo(name: string): Promise<boolean> {
    if (name === this.#name) return true;
    const place = this.#places.get(name);
    if (place === undefined) return false;
    this.#places.set(this.#name, await this.#here());
    await this.#session.restore(place.state);
    this.#name = name;
    this.#turns = [...place.turns];
    this.#said = [...place.said];
    return true;
  }

  async #here(): Promise<Place> {
    return { state: await this.#session.save(), turns: [...this.#turns], said: [...this.#said] };
  }

  async #turn(
    { question, tries }: Pick<Turn, 'question' | 'tries'>,
    onText: (text: string) => void,
    signal: AbortSignal,
  ): Promise<Answer> {
    const before = await this.#session.save();
    const pieces = this.#begin(question, tries, before.length === 0, signal);
    this.#turns = [...this.#turns, { before, question, tries }].slice(-MOST_TURNS);
    const at = this.#said.push({ question, answer: '' }) - 1;
    const answer = await listen(this.#session, pieces, onText, signal);
    this.#said[at] = { question, answer: answer.text };
    const { endOfText } = this.#tokenizer;
    if (this.#settings.form === 'plain' && answer.finish === 'stop' && endOfText !== undefined) {
      // Whatever is said next begins another text.
      await this.#session.prefill([endOfText]);
    }
    return answer;
  }

  #begin(question: string, tries: number, isFirst: boolean, signal: AbortSignal): AsyncGenerator<Piece, Finish, void> {
    const { form, system, maxTokens, choice } = this.#settings;
    const options = { ...choice, ...('seed' in choice && { seed: choice.seed + tries }), maxTokens, signal };
    if (form === 'plain') return this.#session.generate({ ...options, prompt: question });
    const said: ChatMessage[] = isFirst && system !== undefined ? [{ role: 'system', content: system }] : [];
    return this.#session.chat([...said, { role: 'user', content: question }], options);
  }
}

async function listen(
  session: Talking,
  pieces: AsyncGenerator<Piece, Finish, void>,
  onText: (text: string) => void,
  signal: AbortSignal,
): Promise<Answer> {
  let text = '';
  let start: number | undefined;
  // A stop token that comes with the last text is not part of it.
  const tokens = (): number => (start === undefined ? 0 : session.length - start);
  try {
    for (;;) {
      const { value, done } = await pieces.next();
      if (done === true) return { text, tokens: tokens(), finish: value };
      start ??= session.length - 1;
      text += value.text;
      onText(value.text);
    }
  } catch (error) {
    if (!signal.aborted) throw error;
    return { text, tokens: tokens(), finish: 'interrupted' };
  }
}
