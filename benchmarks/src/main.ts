import { ReceptanceError } from '@receptance/core';
import { benchCommand } from './commands/bench.ts';
import { compareCommand } from './commands/compare.ts';
import { encodingCommand } from './commands/encoding.ts';
import { longCommand } from './commands/long.ts';
import { pageCommand } from './commands/page.ts';
import { peersCommand } from './commands/peers.ts';
import { trainCommand } from './commands/train.ts';
import { triangleCommand } from './commands/triangle.ts';
import { weightsCommand } from './commands/weights.ts';

const COMMANDS: Readonly<Record<string, (args: readonly string[]) => Promise<void>>> = {
  compare: compareCommand,
  encoding: encodingCommand,
  long: longCommand,
  page: pageCommand,
  peers: peersCommand,
  train: trainCommand,
  triangle: triangleCommand,
  weights: weightsCommand,
};

try {
  const [first = '', ...rest] = process.argv.slice(2);
  const command = Object.hasOwn(COMMANDS, first) ? COMMANDS[first] : undefined;
  await (command === undefined ? benchCommand(process.argv.slice(2)) : command(rest));
} catch (error) {
  if (!(error instanceof Error)) throw error;
  const known = ReceptanceError.isInstance(error)
    ? `[${error.code}] ${error.message}${error.hint === undefined ? '' : `\nhint: ${error.hint}`}`
    : error.message;
  console.error(`error ${known}`);
  process.exitCode = 1;
}
