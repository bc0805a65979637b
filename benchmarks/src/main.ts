import { writeFile } from 'node:fs/promises';
import { ReceptanceError } from '@receptance/core';
import { peersCommand } from './commands/peers.ts';
import { weightsCommand } from './commands/weights.ts';
import { runBenchmarks } from './measure/run.ts';
import { HELP, parseBench, settingsOf } from './options.ts';
import { tableOf } from './report/table.ts';

const COMMANDS: Readonly<Record<string, (args: readonly string[]) => Promise<void>>> = {
  peers: peersCommand,
  weights: weightsCommand,
};

async function bench(args: readonly string[]): Promise<void> {
  const values = parseBench(args);
  if (values.help) return console.log(HELP);
  const stopping = new AbortController();
  process.once('SIGINT', () => stopping.abort(new Error('interrupted')));
  const status = (text: string): void => {
    if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`);
  };
  const report = await runBenchmarks(settingsOf(values, { signal: stopping.signal, status }));
  status('');
  if (values.json === '-') return console.log(JSON.stringify(report, null, 2));
  if (values.json !== undefined) await writeFile(values.json, `${JSON.stringify(report, null, 2)}\n`);
  console.log(tableOf(report));
}

try {
  const [first = '', ...rest] = process.argv.slice(2);
  const command = Object.hasOwn(COMMANDS, first) ? COMMANDS[first] : undefined;
  await (command === undefined ? bench(process.argv.slice(2)) : command(rest));
} catch (error) {
  if (!(error instanceof Error)) throw error;
  const known = ReceptanceError.isInstance(error)
    ? `[${error.code}] ${error.message}${error.hint === undefined ? '' : `\nhint: ${error.hint}`}`
    : error.message;
  console.error(`error ${known}`);
  process.exitCode = 1;
}
