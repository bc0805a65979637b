import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chatPrompt, chatStop } from '../src/index.ts';

describe('chatPrompt', () => {
  it('ends where the assistant speaks', () => {
    expect(chatPrompt([{ role: 'user', content: 'Hello' }])).toBe('User: Hello\n\nAssistant:');
    expect(chatPrompt([])).toBe('Assistant:');
  });

  it('writes a turn for each message', () => {
    const messages = [
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: 'Hi' },
      { role: 'assistant', content: ' Hello.' },
      { role: 'user', content: 'Bye' },
    ] as const;
    expect(chatPrompt(messages)).toBe('System: Be brief.\n\nUser: Hi\n\nAssistant: Hello.\n\nUser: Bye\n\nAssistant:');
  });

  it.each([
    ['a\n\nb', 'a\nb'],
    ['a\r\n\r\n\r\nb\r', 'a\nb'],
    ['\n\n a\n\n\n\nb \n\n', 'a\nb'],
    ['a\n  b', 'a\n  b'],
  ])('closes up %j', (content, inner) => {
    expect(chatPrompt([{ role: 'user', content }])).toBe(`User: ${inner}\n\nAssistant:`);
  });

  it('leaves an empty message empty', () => {
    expect(chatPrompt([{ role: 'user', content: '\n \n' }])).toBe('User:\n\nAssistant:');
  });

  it('lets no message end its turn', () => {
    const content = fc.string({ unit: fc.constantFrom('\n', '\r', ' ', 'a', '\n\n') });
    const message = fc.record({ role: fc.constantFrom('system', 'user', 'assistant'), content });
    fc.assert(
      fc.property(fc.array(message), (messages) => {
        expect(chatPrompt(messages).split(chatStop)).toHaveLength(messages.length + 1);
      }),
    );
  });
});
