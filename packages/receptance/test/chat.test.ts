import { reference } from '@receptance/backend-reference';
import { afterAll, expect, test } from 'vitest';
import { load } from '../src/index.ts';
import { collect, take } from './support/collect.ts';
import { scriptedModel } from './support/models.ts';

// After each byte comes the next: a prompt that ends with ':' is answered by what follows it here.
const model = await load(scriptedModel(': yes,\n'), { backend: reference(), maxSequences: 2 });
afterAll(() => model.close());
const greedy = { greedy: true, maxTokens: 20 } as const;
const code = (name: string) => expect.objectContaining({ code: name, hint: expect.any(String) });
const length = (text: string) => new TextEncoder().encode(text).length;

test('a reply is what follows the colon, without the blank, until the end of text', async () => {
  const session = await model.session();
  const prompt = 'User: Is it?\n\nAssistant:';
  const reply = await collect(session.chat('Is it?', greedy));
  expect(reply).toMatchObject({ text: 'yes,\n', finish: 'stop' });
  expect(session.length).toBe(length(`${prompt} yes,\n`));
  // The turn was left open: the next begins after an empty line.
  await collect(session.chat('Sure?', { ...greedy, maxTokens: 1 }));
  expect(session.length).toBe(length(`${prompt} yes,\n\n\nUser: Sure?\n\nAssistant: `));
  await session.close();
});

test('an empty line ends a reply and is not given out; the next turn follows it at once', async () => {
  const session = await model.session();
  const newline = 10;
  const reply = session.chat([{ role: 'user', content: 'Is\n\n\nit?' }], {
    ...greedy,
    bias: new Map([[newline, 1000]]),
  });
  expect(await collect(reply)).toMatchObject({ text: '', tokens: [newline, newline], finish: 'stop' });
  const before = length('User: Is\nit?\n\nAssistant:\n\n');
  expect(session.length).toBe(before);
  expect(await take(session.chat('Well?', greedy), 2)).toEqual([32, 121]);
  expect(session.length).toBe(before + length('User: Well?\n\nAssistant: y'));
  await session.close();
});

test('several turns are read at once; stop strings of the caller come beside the empty line', async () => {
  const session = await model.session();
  const messages = [
    { role: 'system', content: 'Be short.' },
    { role: 'user', content: 'Hi' },
    { role: 'assistant', content: 'Hello' },
    { role: 'user', content: 'Is it?' },
  ] as const;
  expect((await collect(session.chat(messages, { ...greedy, stop: ['s,'] }))).text).toBe('ye');
  const prompt = 'System: Be short.\n\nUser: Hi\n\nAssistant: Hello\n\nUser: Is it?\n\nAssistant:';
  expect(session.length).toBe(length(`${prompt} yes,`));
  await session.close();
});

test('what is no chat is refused', async () => {
  const session = await model.session();
  for (const input of [[], [{ role: 'bot', content: '' }], [{ role: 'user' }], [null], 7]) {
    expect(() => session.chat(input as never, greedy)).toThrow(code('BAD_OPTION'));
  }
  expect(() => session.chat('Hi', { ...greedy, stop: [''] })).toThrow(code('BAD_OPTION'));
  expect(() => session.chat('Hi', { ...greedy, stop: 'aeiou' as never })).toThrow(code('BAD_OPTION'));
  expect(session.length).toBe(0);
  await session.close();
  expect(() => session.chat('Hi', greedy)).toThrow(code('SESSION_CLOSED'));
});
