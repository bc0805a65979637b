// From a fresh clone, with nothing but Node 20 and npm, to a running command: installs the packages when the lockfile
// changed, then runs the command on the Node that the lockfile pins. Plain JavaScript, because an old Node starts it.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const windows = process.platform === 'win32';
const modules = join(root, 'node_modules');
const node = join(modules, 'node', 'bin', windows ? 'node.exe' : 'node');
const typescript = join(modules, 'typescript', 'bin', 'tsc');
const cli = join(modules, '@receptance', 'cli', 'bin', 'receptance.js');

const commands = {
  start: async (args) => {
    await quietly('Building', node, [typescript, '-b', 'apps/cli']);
    const prompt = args.length > 0 && !args[0].startsWith('-') ? ['--prompt', args[0]] : [];
    return run(node, [cli, 'generate', ...prompt, ...args.slice(prompt.length / 2)]);
  },
  playground: (args) => run('pnpm', ['--silent', '--filter', '@receptance/playground', 'start', ...args]),
  test: (args) => run(node, ['tools/test.ts', ...args]),
  check: (args) => run(node, ['tools/check.ts', ...args]),
  ci: (args) => run(node, ['tools/ci.ts', ...args]),
};

/** A command that failed, with what it had said and the status to leave with. */
class Failure extends Error {
  constructor(message, output, status) {
    super(message);
    this.output = output;
    this.status = status;
  }
}

function environment() {
  const path = [join(modules, '.bin'), process.env.PATH].filter(Boolean).join(delimiter);
  return { ...process.env, PATH: path, TURBO_TELEMETRY_DISABLED: '1' };
}

/** Runs a child to its end. Ctrl-C reaches it from the terminal by itself; a signal sent to this process is passed on. */
function child(command, args, options) {
  return new Promise((resolve, reject) => {
    const running = spawn(command, args, { cwd: root, env: environment(), ...options });
    let output = '';
    running.stdout?.on('data', (chunk) => (output += chunk));
    running.stderr?.on('data', (chunk) => (output += chunk));
    const pass = (signal) => {
      if (signal !== 'SIGINT' || !process.stdin.isTTY) running.kill(signal);
    };
    const signals = ['SIGINT', 'SIGTERM'];
    for (const signal of signals) process.on(signal, pass);
    running.on('error', reject);
    running.on('close', (code, signal) => {
      for (const name of signals) process.off(name, pass);
      resolve({ status: signal ? 128 + constants.signals[signal] : code, output });
    });
  });
}

async function run(command, args) {
  return (await child(command, args, { stdio: 'inherit' })).status;
}

/** Runs a child with one progress line, and shows what it said only when it fails. */
async function quietly(title, command, args, options = {}) {
  const began = Date.now();
  const seconds = () => `${((Date.now() - began) / 1000).toFixed(1)} s`;
  const live = process.stderr.isTTY === true;
  const say = (text) => process.stderr.write(live ? `\r\x1b[K${text}` : '');
  const ticking = setInterval(() => say(`${title} … ${seconds()}`), 100);
  const { status, output } = await child(command, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options });
  clearInterval(ticking);
  say('');
  if (status > 128) throw new Failure(`${title}: stopped`, '', status);
  if (status !== 0) throw new Failure(`${title} failed: ${[command, ...args].join(' ')}`, output, status);
  if (Date.now() - began > 1000) process.stderr.write(`${title}: done in ${seconds()}\n`);
}

async function install() {
  const lockfile = readFileSync(join(root, 'pnpm-lock.yaml'));
  const stamp = createHash('sha256').update(lockfile).update(`${process.platform} ${process.arch}`).digest('hex');
  const stampFile = join(modules, '.receptance-installed');
  if (existsSync(node) && existsSync(stampFile) && readFileSync(stampFile, 'utf8') === stamp) return;
  const { packageManager } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  if (!process.stderr.isTTY) process.stderr.write('Installing packages (once, about 20 s)\n');
  const args = ['-y', packageManager, 'install', '--frozen-lockfile'];
  await quietly('Installing packages', 'npx', args, { shell: windows });
  writeFileSync(stampFile, stamp);
}

async function main([name, ...args]) {
  const command = Object.hasOwn(commands, name ?? '') ? commands[name] : undefined;
  if (command === undefined) throw new Failure(`usage: bootstrap.mjs ${Object.keys(commands).join('|')}`, '', 2);
  if (Number(process.versions.node.split('.')[0]) < 20) throw new Failure('Node 20 or newer is needed', '', 1);
  await install();
  return command(args);
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof Failure)) throw error;
  if (error.output) process.stderr.write(`${error.output.trimEnd()}\n`);
  process.stderr.write(`${error.message}\n`);
  if (process.argv[2] === 'ci') console.log('0 passed, 1 failed');
  process.exitCode = error.status;
}
