import { byteTokenizer } from '@receptance/tokenizer';
import type { ChatInput, ChatOptions, Finish, GenerateOptions, Piece, Prompt, SavedState } from 'receptance';
import { expect, test } from 'vitest';
import { Conversation, type Settings, type Talking } from '../src/chat/conversation.ts';

const TURNS: Settings = { form: 'chat', system: 'Be brief.', maxTokens: 100, choice: { sampling: {}, seed: 7 } };
const PLAIN: Settings = { ...TURNS, form: 'plain', system: undefined };
const tokenizer = byteTokenizer();
const never = new AbortController().signal;

/** A session that gives the answers it was told to, piece by piece, and keeps its text instead of a state. */
class Told implements Talking {
  readonly seeds: (number | undefined)[] = [];
  readonly said: ChatInput[] = [];
  readonly #answers: (readonly string[])[];
  text = '';

  constructor(answers: readonly (readonly string[])[]) {
    this.#answers = [...answers];
  }

  get length(): number {
    return this.text.length;
  }

  async prefill(prompt: Prompt): Promise<number> {
    this.text += typeof prompt === 'string' ? prompt : tokenizer.decode(Array.from(prompt));
    return prompt.length;
  }

  async *generate({ seed, prompt = '', signal }: GenerateOptions): AsyncGenerator<Piece, Finish, void> {
    await this.prefill(prompt);
    this.seeds.push(seed);
    for (const text of this.#answers.shift() ?? []) {
      signal?.throwIfAborted();
      this.text += text;
      yield { token: 0, text };
    }
    return 'stop';
  }

  chat(input: ChatInput, options: ChatOptions): AsyncGenerator<Piece, Finish, void> {
    this.said.push(input);
    return this.generate({ ...options, prompt: '…' });
  }

  async save(): Promise<SavedState> {
    const { text } = this;
    const about = { architecture: text, vocabularySize: 256, layers: 1, width: 1, fingerprint: '' };
    return { version: 1, ...about, length: text.length, tail: [], tensors: {} };
  }

  async restore(saved: SavedState): Promise<void> {
    this.text = saved.architecture;
  }
}

test('a question is a turn of the user; what the system says comes before the first', async () => {
  const session = new Told([['Yes', '.'], ['No.']]);
  const conversation = new Conversation(session, tokenizer, TURNS);
  const shown: string[] = [];
  const answer = await conversation.ask('Yes?', (text) => shown.push(text), never);
  expect(shown).toEqual(['Yes', '.']);
  expect(answer).toEqual({ text: 'Yes.', tokens: 2, finish: 'stop' });
  await conversation.ask('No?', () => {}, never);
  expect(session.said).toEqual([
    [
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: 'Yes?' },
    ],
    [{ role: 'user', content: 'No?' }],
  ]);
  expect(session.text).toBe('…Yes.…No.');
});

test('without turns a text goes on as it is, and another begins where it has ended', async () => {
  const session = new Told([[' upon a time.\n\nThe end.'], [' in May.']]);
  const conversation = new Conversation(session, tokenizer, PLAIN);
  await conversation.ask('Once', () => {}, never);
  await conversation.ask('Late', () => {}, never);
  expect(session.text).toBe('Once upon a time.\n\nThe end.\0Late in May.\0');
});

test('an answer that is stopped stays as far as it was given', async () => {
  const session = new Told([[' upon', ' a time.']]);
  const conversation = new Conversation(session, tokenizer, PLAIN);
  const stop = new AbortController();
  const answer = await conversation.ask('Once', () => stop.abort(), stop.signal);
  expect(answer).toEqual({ text: ' upon', tokens: 1, finish: 'interrupted' });
  expect(session.text).toBe('Once upon');
});

test('a question asked again is drawn otherwise, from the text before it', async () => {
  const session = new Told([[' A.'], [' B.'], [' C.']]);
  const conversation = new Conversation(session, tokenizer, PLAIN);
  await conversation.ask('Q?', () => {}, never);
  await conversation.retry(() => {}, never);
  await conversation.retry(() => {}, never);
  expect(session.seeds).toEqual([7, 8, 9]);
  expect(session.text).toBe('Q? C.\0');
  await conversation.undo();
  expect(session.text).toBe('');
  expect(await conversation.undo()).toBeUndefined();
});

test('copies go their own ways, each with its own questions to take back', async () => {
  const session = new Told([[' A.'], [' B.'], [' C.']]);
  const conversation = new Conversation(session, tokenizer, PLAIN);
  await conversation.ask('1', () => {}, never);
  expect(await conversation.fork('other')).toBe('other');
  await conversation.ask('2', () => {}, never);
  expect(await conversation.goTo('1')).toBe(true);
  expect(session.text).toBe('1 A.\0');
  expect(await conversation.fork(undefined)).toBe('3');
  await conversation.goTo('other');
  expect(session.text).toBe('1 A.\0' + '2 B.\0');
  await conversation.undo();
  await conversation.undo();
  expect(session.text).toBe('');
  expect(await conversation.goTo('nowhere')).toBe(false);
  expect(conversation.names).toEqual(['1', 'other', '3']);
});

test('what was said goes with its copy, and is taken back with its question', async () => {
  const session = new Told([[' A.'], [' B.'], [' C.']]);
  const conversation = new Conversation(session, tokenizer, PLAIN);
  await conversation.ask('1', () => {}, never);
  await conversation.fork('other');
  await conversation.ask('2', () => {}, never);
  const [first, second] = [
    { question: '1', answer: ' A.' },
    { question: '2', answer: ' B.' },
  ];
  expect(conversation.said).toEqual([first, second]);
  await conversation.retry(() => {}, never);
  expect(conversation.said).toEqual([first, { question: '2', answer: ' C.' }]);
  await conversation.undo();
  expect(conversation.said).toEqual([first]);
  await conversation.goTo('1');
  expect(conversation.said).toEqual([first]);
  await conversation.load(await conversation.save());
  expect(conversation.said).toEqual([]);
});
