/** A turn of a chat. `system` text, where there is any, comes first. */
export interface ChatMessage {
  readonly role: 'system' | 'user' | 'assistant';
  readonly content: string;
}

const NAMES = { system: 'System', user: 'User', assistant: 'Assistant' } as const satisfies Record<string, string>;

/**
 * A chat as World models were trained on it: `User: …\n\nAssistant: …\n\n`, and at its end `Assistant:` for the model to
 * go on. An empty line ends a turn, so those inside a message are closed up and blanks around it dropped. Nothing
 * follows the last colon: the space that comes there belongs to the answer's first token.
 */
export function chatPrompt(messages: readonly ChatMessage[]): string {
  const turns = messages.map(({ role, content }) => `${NAMES[role]}: ${oneTurn(content)}`.trimEnd());
  return [...turns, `${NAMES.assistant}:`].join(chatStop);
}

/** The text at which an answer ends, if the end of text (id 0) does not come before. */
export const chatStop = '\n\n';

function oneTurn(content: string): string {
  return content
    .replaceAll(/\r\n?/g, '\n')
    .replaceAll(/\n{2,}/g, '\n')
    .trim();
}
