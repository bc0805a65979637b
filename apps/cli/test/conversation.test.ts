import { byteTokenizer } from '@receptance/tokenizer';
import type { Finish, GenerateOptions, Piece, Prompt, SavedState } from 'receptance';
import { expect, test } from 'vitest';
import { Conversation, type Settings, type Talking } from '../src/chat/conversation.ts';

const CHAT: Settings = { form: 'chat', system: undefined, maxTokens: 100, choice: { sampling: {}, seed: 7 } };
const tokenizer = byteTokenizer();
const never = new AbortController().signal;

/** A session that gives the answers it was told to, piece by piece, and keeps its text instead of a state. */
class Told implements Talking {
  readonly seeds: (number | undefined)[] = [];
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

  async *generate({ seed }: GenerateOptions): AsyncGenerator<Piece, Finish, void> {
    this.seeds.push(seed);
    for (const text of this.#answers.shift() ?? []) {
      this.text += text;
      yield { token: 0, text };
    }
    return 'stop';
  }

  async save(): Promise<SavedState> {
    const { text } = this;
    const tail = tokenizer.encode(text.slice(-4));
    const about = { architecture: text, vocabularySize: 256, layers: 1, width: 1, fingerprint: '' };
    return { version: 1, ...about, length: text.length, tail, tensors: {} };
  }

  async restore(saved: SavedState): Promise<void> {
    this.text = saved.architecture;
  }
}

async function ask(conversation: Conversation, question: string): Promise<{ shown: string[]; text: string }> {
  const shown: string[] = [];
  const { text } = await conversation.ask(question, (piece) => shown.push(piece), never);
  return { shown, text };
}

test('an answer ends at an empty line, of which nothing is shown', async () => {
  const session = new Told([
    [' He', 'llo', '.\n', '\nUser', ': not this'],
    [' One\n', 'two. \n\n'],
  ]);
  const conversation = new Conversation(session, tokenizer, CHAT);
  expect(await ask(conversation, 'Hi!\n\n')).toEqual({ shown: ['He', 'llo', '.'], text: 'Hello.' });
  expect(session.text.startsWith('User: Hi!\n\nAssistant: Hello.\n\n')).toBe(true);
  session.text = 'User: Hi!\n\nAssistant: Hello.\n\n';
  expect(await ask(conversation, 'And?')).toEqual({ shown: ['One', '\ntwo.'], text: 'One\ntwo.' });
  expect(session.text).toBe('User: Hi!\n\nAssistant: Hello.\n\nUser: And?\n\nAssistant: One\ntwo. \n\n');
});

test('an answer that ends with the text is ended for the next question', async () => {
  const session = new Told([[' Yes.'], [' No.']]);
  const conversation = new Conversation(session, tokenizer, { ...CHAT, system: 'Be brief.' });
  await ask(conversation, 'Yes?');
  await ask(conversation, 'No?');
  expect(session.text).toBe('System: Be brief.\n\nUser: Yes?\n\nAssistant: Yes.\n\nUser: No?\n\nAssistant: No.\n\n');
});

test('without turns a text goes on as it is, and another begins where it has ended', async () => {
  const session = new Told([[' upon a time.\n\nThe end.'], [' in May.']]);
  const conversation = new Conversation(session, tokenizer, { ...CHAT, form: 'plain' });
  expect((await ask(conversation, 'Once')).shown).toEqual([' upon a time.\n\nThe end.']);
  await ask(conversation, 'Late');
  expect(session.text).toBe('Once upon a time.\n\nThe end.\0Late in May.\0');
});

test('a question asked again is drawn otherwise, from the text before it', async () => {
  const session = new Told([[' A.'], [' B.'], [' C.'], [' D.']]);
  const conversation = new Conversation(session, tokenizer, CHAT);
  await ask(conversation, 'Q?');
  await conversation.retry(() => {}, never);
  await conversation.retry(() => {}, never);
  expect(session.seeds).toEqual([7, 8, 9]);
  expect(session.text).toBe('User: Q?\n\nAssistant: C.\n\n');
  await conversation.undo();
  expect(session.text).toBe('');
  expect(await conversation.undo()).toBeUndefined();
});
