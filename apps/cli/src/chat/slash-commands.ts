import { homedir } from 'node:os';
import { writeWhole } from '@receptance/checkpoint/node';
import { ReceptanceError } from '@receptance/core';
import { loadState, saveState } from 'receptance';
import { columns } from '../command.ts';
import { readBytes } from '../files.ts';
import type { Terminal } from '../terminal.ts';
import { UsageError } from '../usage-error.ts';
import type { Answer, Conversation } from './conversation.ts';

/** What a line that begins with a slash acts on. */
export interface Chat {
  readonly conversation: Conversation;
  readonly terminal: Terminal;
  /** Shows an answer while it is made. */
  reply(ask: (onText: (text: string) => void, signal: AbortSignal) => Promise<Answer | undefined>): Promise<void>;
}

interface SlashCommand {
  /** What follows it. */
  readonly value?: string;
  readonly help: string;
  run(chat: Chat, value: string): Promise<void>;
}

const COMMANDS: Readonly<Record<string, SlashCommand>> = {
  save: {
    value: 'FILE',
    help: 'keep the conversation in a file: its state, of constant size',
    async run({ conversation, terminal }, path) {
      const file = fileOf(path, '/save FILE');
      const state = await conversation.save();
      await writeWhole(file, [saveState(state)]);
      terminal.note(`${file}: ${state.length} tokens`);
    },
  },
  load: {
    value: '[--force] FILE',
    help: 'go on with a conversation from a file; --force: one of other weights of this shape, too',
    async run({ conversation, terminal }, given) {
      const [, force, path = ''] = /^(--force(?:\s+|$))?(.*)$/.exec(given) ?? [];
      const file = fileOf(path, '/load FILE');
      const state = await loadState(await readBytes(file, 'give what /save wrote'));
      await conversation.load(state, { force: force !== undefined });
      terminal.note(`${file}: ${conversation.length} tokens`);
    },
  },
  retry: {
    help: 'ask the last question again',
    run: ({ conversation, reply }) => reply((onText, signal) => conversation.retry(onText, signal)),
  },
  undo: {
    help: 'take the last question and its answer back',
    async run({ conversation, terminal }) {
      if ((await conversation.undo()) === undefined) throw nothingToUndo();
      terminal.note(`back at ${conversation.length} tokens`);
    },
  },
  history: {
    help: 'show what was said',
    async run({ conversation: { said }, terminal }) {
      if (said.length === 0) return terminal.note('nothing was said yet, or it was loaded: a state is no text');
      for (const { question, answer } of said) terminal.note(`${terminal.bold(`> ${question}`)}\n${answer.trim()}`);
    },
  },
  fork: {
    value: '[NAME]',
    help: 'go on in a copy; this conversation stays as it is',
    async run({ conversation, terminal }, name) {
      const from = conversation.name;
      if (conversation.names.includes(name)) {
        throw new UsageError('BAD_OPTION', `there is a conversation ${name} already`, { hint: `/go ${name}` });
      }
      terminal.note(`in ${await conversation.fork(name === '' ? undefined : name)}; /go ${from} goes back`);
    },
  },
  go: {
    value: '[NAME]',
    help: 'go to another copy; without a name, list them',
    async run({ conversation, terminal }, name) {
      const { names } = conversation;
      if (name !== '' && !(await conversation.goTo(name))) {
        throw new UsageError('BAD_OPTION', `there is no conversation ${name}`, {
          hint: `there are ${names.join(', ')}`,
        });
      }
      terminal.note(`in ${conversation.name} of ${names.join(', ')}; ${conversation.length} tokens`);
    },
  },
};

export const SLASH_HELP: readonly (readonly [string, string])[] = [
  ...Object.entries(COMMANDS).map(
    ([name, { value, help }]) => [`/${name}${value === undefined ? '' : ` ${value}`}`, help] as const,
  ),
  ['/help', 'show these'],
  ['/exit', 'leave; so does the end of the input'],
  ['//…', 'say something that begins with a slash'],
];

/** What completes a line that begins with a slash. */
export const SLASH_WORDS: readonly string[] = [
  ...Object.entries(COMMANDS).map(([name, { value }]) => (value === undefined ? `/${name}` : `/${name} `)),
  ...['/help', '/exit'],
];

/**
 * @param line begins with one slash
 * @returns false when it asks to leave
 * @throws UsageError `UNKNOWN_COMMAND`, and what the command throws
 */
export async function runSlashCommand(line: string, chat: Chat): Promise<boolean> {
  const [, name = '', value = ''] = /^\/(\S*)\s*(.*?)\s*$/.exec(line) ?? [];
  if (name === 'exit' || name === 'quit') return false;
  if (name === 'help') {
    chat.terminal.note(columns(SLASH_HELP).join('\n'));
    return true;
  }
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (command === undefined) {
    throw new UsageError('UNKNOWN_COMMAND', `there is no command /${name}`, {
      hint: '/help lists them; two slashes say what begins with one',
    });
  }
  await command.run(chat, value);
  return true;
}

/** No shell stands between: `~` is the home here. */
function fileOf(value: string, usage: string): string {
  if (value !== '') return value.replace(/^~(?=\/)/, homedir());
  throw new UsageError('BAD_OPTION', 'a file is missing', { hint: usage });
}

export function nothingToUndo(): ReceptanceError {
  return new ReceptanceError('NOTHING_TO_UNDO', 'there is no question to take back', {
    hint: 'the last few can be, as long as they were asked in this conversation',
  });
}
