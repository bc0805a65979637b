import { type ChatMessage, chatPrompt, chatStop, StreamingDecoder } from '@receptance/tokenizer';
import { badOption, checkGenerate, type GenerateOptions, type Generation } from './generate-options.ts';
import type { Finish, Piece } from './session.ts';
import { tokensOf, type Vocabulary } from './tokens.ts';

/** As for `generate`; `stop` strings come beside the empty line that ends every turn. */
export type ChatOptions = Omit<GenerateOptions, 'prompt'>;

/** What the user says next, or several turns at once. */
export type ChatInput = string | readonly ChatMessage[];

const ROLES: readonly string[] = ['system', 'user', 'assistant'] satisfies ChatMessage['role'][];

/** @throws ReceptanceError `BAD_OPTION`, and what `checkGenerate` throws */
export function checkChat(input: ChatInput, options: ChatOptions, vocabulary: Vocabulary): Generation {
  const messages = typeof input === 'string' ? [{ role: 'user', content: input } as const] : input;
  const valid = Array.isArray(messages) && messages.length > 0 && messages.every(isMessage);
  if (!valid) {
    throw badOption(
      'a chat is made of messages',
      `give a text, or at least one { role, content } with a role of ${ROLES.join(', ')}`,
    );
  }
  const prompt = chatPrompt(messages);
  const generation = checkGenerate({ ...options, prompt }, vocabulary);
  const stop = [chatStop, ...generation.stop];
  return { ...generation, stop, promptWithinTurn: tokensOf(chatStop + prompt, vocabulary) };
}

/** Whether a text that ends with these tokens is within a turn of a chat, so that the next needs an empty line first. */
export function isWithinTurn(tail: readonly number[], { tokenizer }: Vocabulary): boolean {
  const last = tail.at(-1);
  if (tokenizer === undefined || last === undefined || last === tokenizer.endOfText) return false;
  const decoder = new StreamingDecoder(tokenizer);
  const text = tail.map((token) => (token < tokenizer.vocabularySize ? decoder.push(token) : '')).join('');
  return !text.endsWith(chatStop);
}

/** A reply without the blank that follows `Assistant:`. */
export async function* replyOf(pieces: AsyncGenerator<Piece, Finish, void>): AsyncGenerator<Piece, Finish, void> {
  let begun = false;
  try {
    for (;;) {
      const { value, done } = await pieces.next();
      if (done) return value;
      const text: string = begun ? value.text : value.text.trimStart();
      begun ||= text !== '';
      yield { ...value, text };
    }
  } finally {
    await pieces.return('stop');
  }
}

function isMessage(message: unknown): boolean {
  return (
    typeof message === 'object' &&
    message !== null &&
    'role' in message &&
    'content' in message &&
    ROLES.includes(String(message.role)) &&
    typeof message.content === 'string'
  );
}
