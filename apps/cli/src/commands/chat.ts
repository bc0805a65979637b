import { ReceptanceError } from '@receptance/core';
import { type Answer, Conversation, type Settings } from '../chat/conversation.ts';
import { type Lines, pipedLines } from '../chat/lines.ts';
import { type Chat, nothingToUndo, runSlashCommand, SLASH_HELP, SLASH_WORDS } from '../chat/slash-commands.ts';
import { TypedLines } from '../chat/typed-lines.ts';
import { CHOICE_OPTIONS, readChoice } from '../choice.ts';
import { type Command, command } from '../command.ts';
import { reportFailure } from '../failure.ts';
import { type LoadedModel, loadModel, MODEL_OPTIONS } from '../model.ts';
import { badOption, COMMON, type Values } from '../options.ts';
import type { Terminal } from '../terminal.ts';

const DEFAULT_MAX_TOKENS = 512;

const options = {
  ...MODEL_OPTIONS,
  system: { value: 'TEXT', help: 'what comes before the first question' },
  plain: { help: 'continue what is typed as it is, without turns (always so for the small model)' },
  'max-tokens': { value: 'N', help: `tokens of an answer at most (default: ${DEFAULT_MAX_TOKENS})` },
  ...CHOICE_OPTIONS,
  ...COMMON,
  json: { help: 'one JSON object for each answer, on a line of its own; errors too' },
} as const;

export const chat: Command = command({
  name: 'chat',
  summary: 'Talks with a model, line by line. Its state carries the conversation: nothing is read twice.',
  usage: '[--model FILE] [--system TEXT] [--plain]',
  options,
  notes: ['Lines that begin with a slash:', SLASH_HELP],
  examples: [
    ['chat', 'begin stories; the small model goes on with them'],
    ['chat --model model.pth --tokenizer rwkv_vocab_v20230424.txt', 'User and Assistant, as World models know them'],
    ['chat --model model.gguf --system "You answer in one sentence."', 'with something said beforehand'],
    ['chat --model model.gguf --seed 1 --json < questions.txt', 'from a pipe: each line is answered, then it ends'],
  ],
  async run(values, terminal) {
    const settings = readSettings(values);
    const loaded = await loadModel(values, terminal);
    try {
      return await talk(loaded, settings, terminal);
    } finally {
      await loaded.model.close();
    }
  },
});

function readSettings(values: Values<keyof typeof options>): Settings {
  const [system, plain] = [values.text('system'), values.flag('plain')];
  if (plain && system !== undefined) throw badOption('--plain has no turns', 'leave --system out, or --plain');
  const maxTokens = values.integer('max-tokens') ?? DEFAULT_MAX_TOKENS;
  return { form: plain ? 'plain' : 'chat', system, maxTokens, choice: readChoice(values) };
}

async function talk({ model, isBundled }: LoadedModel, given: Settings, terminal: Terminal): Promise<number> {
  const { tokenizer } = model;
  if (tokenizer === undefined) {
    throw new ReceptanceError(
      'NO_TOKENIZER',
      `no tokenizer is known for this model of ${model.vocabularySize} tokens`,
      {
        hint: 'give it with --tokenizer',
      },
    );
  }
  if (isBundled && given.system !== undefined) {
    throw badOption('the small model has no turns, and so no --system', 'leave it out, or give a model with --model');
  }
  const settings: Settings = isBundled ? { ...given, form: 'plain' } : given;
  const conversation = new Conversation(await model.session(), tokenizer, settings);
  const chat: Chat = {
    conversation,
    terminal,
    async reply(ask) {
      const show = (text: string): void => (terminal.json ? undefined : terminal.write(text));
      const answer = await terminal.interruptible((signal) => ask(show, signal));
      if (answer === undefined) throw nothingToUndo();
      finish(answer, conversation, terminal);
    },
  };
  const lines = linesOf(terminal);
  if (lines.typed) terminal.note(terminal.dim('/help shows what else there is; Ctrl-C stops an answer, Ctrl-D leaves'));
  try {
    let line = await lines.next();
    while (line !== undefined && (await act(line, chat, lines.typed))) line = await lines.next();
    // Left behind the prompt.
    if (line === undefined && lines.typed) terminal.write('\n');
  } finally {
    lines.close();
    process.stdin.destroy();
  }
  return terminal.interrupted ? 130 : 0;
}

function linesOf(terminal: Terminal): Lines {
  const { stdin, stdout } = process;
  if (stdin.isTTY !== true || !terminal.isInteractive) return pipedLines(stdin, terminal.signal);
  return new TypedLines({
    ...{ input: stdin, output: stdout, prompt: terminal.bold('> '), words: SLASH_WORDS, signal: terminal.signal },
    onInterrupt: () => terminal.interrupt(),
    note: (text) => terminal.note(terminal.dim(text)),
    // As the terminal does it: the whole group of processes.
    suspend: () => void process.kill(0, 'SIGTSTP'),
  });
}

/** @returns false to leave. A person may go on after an error; a script ends with it. */
async function act(line: string, chat: Chat, typed: boolean): Promise<boolean> {
  try {
    if (line.startsWith('/') && !line.startsWith('//')) return await runSlashCommand(line, chat);
    const question = line.startsWith('//') ? line.slice(1) : line;
    if (question.trim() !== '') await chat.reply((onText, signal) => chat.conversation.ask(question, onText, signal));
    return true;
  } catch (error) {
    if (!typed || !ReceptanceError.isInstance(error)) throw error;
    reportFailure(error, chat.terminal);
    return true;
  }
}

function finish({ text, tokens, finish }: Answer, { length }: Conversation, terminal: Terminal): void {
  if (terminal.json) terminal.writeJson({ text, tokens, finish, length });
  else terminal.write(finish === 'interrupted' ? ` ${terminal.dim('[stopped]')}\n` : '\n');
}
