import { readFileSync } from 'node:fs';
import { type Command, columns, helpOf } from './command.ts';
import { chat } from './commands/chat.ts';
import { conform } from './commands/conform.ts';
import { convert } from './commands/convert.ts';
import { exportCommand } from './commands/export.ts';
import { generate } from './commands/generate.ts';
import { inspect } from './commands/inspect.ts';
import { logits } from './commands/logits.ts';
import { perplexity } from './commands/perplexity.ts';
import { train } from './commands/train.ts';
import { reportFailure } from './failure.ts';
import { nearest } from './nearest.ts';
import { Terminal } from './terminal.ts';
import { statusOf, UsageError } from './usage-error.ts';

const COMMANDS: readonly Command[] = [
  generate,
  chat,
  perplexity,
  logits,
  convert,
  exportCommand,
  inspect,
  train,
  conform,
];

/** Runs one command line, without the names of the interpreter and the program. @returns the exit status */
export async function run(args: readonly string[]): Promise<number> {
  const terminal = new Terminal({ json: args.includes('--json'), verbose: args.includes('--verbose') });
  process.on('uncaughtException', (error) => {
    reportFailure(error, terminal);
    process.exit(1);
  });
  try {
    return await dispatch(args, terminal);
  } catch (error) {
    if (terminal.interrupted) return 130;
    if (terminal.outputClosed) return 0;
    reportFailure(error, terminal);
    return statusOf(error);
  } finally {
    terminal.clearLine();
  }
}

async function dispatch([name, ...args]: readonly string[], terminal: Terminal): Promise<number> {
  if (name === undefined || isHelp(name) || (name === 'help' && args.length === 0)) {
    terminal.write(overview());
    return 0;
  }
  if (name === '--version') {
    terminal.write(`${version()}\n`);
    return 0;
  }
  const command = commandNamed(name === 'help' ? (args[0] ?? '') : name);
  if (name === 'help' || args.some(isHelp)) {
    terminal.write(helpOf(command));
    return 0;
  }
  return command.run(args, terminal);
}

function isHelp(arg: string): boolean {
  return arg === '--help' || arg === '-h';
}

/** @throws UsageError `UNKNOWN_COMMAND` */
function commandNamed(name: string): Command {
  const command = COMMANDS.find((each) => each.name === name);
  if (command !== undefined) return command;
  const names = COMMANDS.map((each) => each.name);
  const meant = nearest(name, names);
  const hint = `commands are ${names.join(', ')}; receptance --help explains them`;
  throw new UsageError('UNKNOWN_COMMAND', `there is no command "${name}"`, {
    hint: meant === undefined ? hint : `did you mean ${meant}?`,
  });
}

function overview(): string {
  return [
    'RWKV language models on the command line.',
    '\nUsage: receptance COMMAND [options]\n',
    ...columns(COMMANDS.map(({ name, summary }) => [name, summary])),
    '\nreceptance COMMAND --help shows the options of a command, with examples.',
    'receptance --version shows the version.\n',
  ].join('\n');
}

/** The manifest lies beside `src` and `dist`. */
function version(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  return typeof manifest === 'object' && manifest !== null && 'version' in manifest ? String(manifest.version) : '';
}
