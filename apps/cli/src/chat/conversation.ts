import { type ChatMessage, chatPrompt, chatStop, type Tokenizer } from '@receptance/tokenizer';
import type { Finish, SavedState, Session } from 'receptance';
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
export type Talking = Pick<Session, 'length' | 'prefill' | 'generate' | 'save' | 'restore'>;

/** A turn, and the text before it. */
interface Turn {
  readonly before: SavedState;
  readonly question: string;
  /** How often it was answered: another seed each time. */
  readonly tries: number;
}

/** Where a conversation stands, to come back to. */
interface Place {
  readonly state: SavedState;
  readonly turns: readonly Turn[];
}

/** Questions and answers on one session. The state carries the history: nothing is ever read twice. */
export class Conversation {
  readonly #session: Talking;
  readonly #tokenizer: Tokenizer;
  readonly #settings: Settings;
  readonly #places = new Map<string, Place>();
  #name = '1';
  #turns: Turn[] = [];

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
    if (last !== undefined) await this.#session.restore(last.before);
    return last;
  }

  save(): Promise<SavedState> {
    return this.#session.save();
  }

  /** @throws ReceptanceError of `Session.restore` */
  async load(state: SavedState): Promise<void> {
    await this.#session.restore(state);
    this.#turns = [];
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
    return true;
  }

  async #here(): Promise<Place> {
    return { state: await this.#session.save(), turns: [...this.#turns] };
  }

  async #turn(
    { question, tries }: Pick<Turn, 'question' | 'tries'>,
    onText: (text: string) => void,
    signal: AbortSignal,
  ): Promise<Answer> {
    const before = await this.#session.save();
    this.#turns = [...this.#turns, { before, question, tries }].slice(-MOST_TURNS);
    try {
      await this.#session.prefill(this.#prompt(question, before), { signal });
    } catch (error) {
      this.#turns.pop();
      if (signal.aborted) return { text: '', tokens: 0, finish: 'interrupted' };
      throw error;
    }
    const answer = await this.#answer(tries, onText, signal);
    await this.#session.prefill(this.#after(answer, await this.#session.save()));
    return answer;
  }

  async #answer(tries: number, onText: (text: string) => void, signal: AbortSignal): Promise<Answer> {
    const { form, maxTokens, choice } = this.#settings;
    const drawn = 'seed' in choice ? { ...choice, seed: choice.seed + tries } : choice;
    const shown = new Shown(onText, form === 'chat' ? chatStop : undefined);
    let tokens = 0;
    let finish: Answer['finish'] = 'length';
    try {
      const generation = this.#session.generate({ ...drawn, maxTokens, signal });
      for (;;) {
        const { value, done } = await generation.next();
        if (done === true) {
          finish = value;
          break;
        }
        tokens++;
        if (!shown.add(value.text)) continue;
        finish = 'stop';
        await generation.return('stop');
        break;
      }
    } catch (error) {
      if (!signal.aborted) throw error;
      finish = 'interrupted';
    }
    return { text: shown.end(), tokens, finish };
  }

  #prompt(question: string, before: SavedState): string {
    const { form, system } = this.#settings;
    if (form === 'plain') return question;
    const first: ChatMessage[] =
      before.length === 0 && system !== undefined ? [{ role: 'system', content: system }] : [];
    return chatPrompt([...first, { role: 'user', content: question }]);
  }

  /** What ends an answer that has not ended itself, so that the next question may follow. */
  #after({ finish }: Answer, { tail }: SavedState): string | number[] {
    if (this.#settings.form === 'chat') return this.#tokenizer.decode(tail).endsWith(chatStop) ? '' : chatStop;
    const { endOfText } = this.#tokenizer;
    return finish === 'stop' && endOfText !== undefined ? [endOfText] : [];
  }
}

/** Gives an answer out as it comes: without the blanks around it, and holding back what may be the end of a turn. */
class Shown {
  readonly #onText: (text: string) => void;
  readonly #stop: string | undefined;
  #text = '';
  #given = '';

  constructor(onText: (text: string) => void, stop: string | undefined) {
    this.#onText = onText;
    this.#stop = stop;
  }

  /** @returns whether the turn ends here */
  add(text: string): boolean {
    this.#text += text;
    const end = this.#stop === undefined ? -1 : this.#text.indexOf(this.#stop);
    if (end >= 0) this.#text = this.#text.slice(0, end);
    this.#give();
    return end >= 0;
  }

  /** @returns all of it */
  end(): string {
    this.#give();
    return this.#given;
  }

  #give(): void {
    const whole = this.#stop === undefined ? this.#text : this.#text.trim();
    if (whole.length > this.#given.length) this.#onText(whole.slice(this.#given.length));
    this.#given = whole;
  }
}
