import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ReceptanceError } from '@receptance/core';
import { badOption } from '../options.ts';
import { PEERS, peerNamed, peersFolder, pythonOf, TRAINING } from '../peers/peers.ts';

const NAMES: readonly string[] = [...Object.keys(PEERS), TRAINING.name];

const HELP: string = `Other programs to measure beside ours, each in a Python environment of its own.

  pnpm bench peers                    which are there
  pnpm bench peers install            all of them: llama.cpp is built from source, PyTorch is gigabytes
  pnpm bench peers install llama-cpp

  --peers-folder DIR  (or RECEPTANCE_PEERS; default: benchmarks/.cache/peers)

Peers: ${NAMES.join(', ')}. Python 3 with venv is needed, and for llama-cpp a C++
compiler and CMake. Of RWKV, transformers has version 4.`;

export async function peersCommand(args: readonly string[]): Promise<void> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { 'peers-folder': { type: 'string' }, help: { type: 'boolean', default: false } },
  });
  if (values.help) return console.log(HELP);
  const folder = peersFolder(values['peers-folder']);
  const [verb, ...names] = positionals;
  if (verb === 'install') {
    for (const name of names.length === 0 ? NAMES : names) await install(name, folder);
  } else if (verb !== undefined) throw badOption(`peers ${verb} is no command`, 'see pnpm bench peers --help');
  for (const name of NAMES) {
    console.log(
      `${name}: ${existsSync(pythonOf(name, folder)) ? 'installed' : 'not installed'} in ${join(folder, name)}`,
    );
  }
}

async function install(name: string, folder: string): Promise<void> {
  const { requirements, environment } = name === TRAINING.name ? TRAINING.peer : peerNamed(name);
  const python = pythonOf(name, folder);
  if (existsSync(python)) return;
  await mkdir(folder, { recursive: true });
  await run('python3', ['-m', 'venv', join(folder, name)]);
  await run(python, ['-m', 'pip', 'install', ...requirements], environment);
}

async function run(
  command: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<void> {
  const child = spawn(command, args, { stdio: 'inherit', env: { ...process.env, ...environment } });
  const [status] = await Promise.race([
    once(child, 'close'),
    once(child, 'error').then(([error]) => Promise.reject(error)),
  ]);
  if (status === 0) return;
  throw new ReceptanceError('PEER_MISSING', `${command} ${args.join(' ')} ended with status ${status}`, {
    hint: 'what it printed above says why; remove its folder before trying again',
  });
}
