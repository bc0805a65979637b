/** Runs programs as somebody would who has never seen this repository. */
import { execFile, spawn } from 'node:child_process';
import { promisify } from 'node:util';

/** What npm and vitest add for their own children would change what a stranger's npm and Vite do. */
const ours =
  /^(NODE_ENV|NODE_OPTIONS|FORCE_COLOR|VITEST.*|npm_(lifecycle|package|command|execpath|node_execpath).*|npm_config_local_prefix)$/;

/** Without colours: what is printed is read here. */
function strangersEnvironment(): NodeJS.ProcessEnv {
  const theirs = Object.entries(process.env).filter(([name]) => !ours.test(name));
  return { ...Object.fromEntries(theirs), NO_COLOR: '1' };
}

/** What a program prints. @throws Error with all that it printed, when it fails */
export async function run(command: string, args: readonly string[], folder: string): Promise<string> {
  const options = { cwd: folder, env: strangersEnvironment(), maxBuffer: 2 ** 26 };
  try {
    return (await promisify(execFile)(command, args, options)).stdout;
  } catch (cause) {
    const { stdout = '', stderr = '' } = cause as { stdout?: string; stderr?: string };
    throw new Error(`${command} ${args.join(' ')} failed\n${stdout}\n${stderr}`, { cause });
  }
}

/** Milliseconds within which a server says where it is. */
const PATIENCE = 60_000;

/** Runs a server while `work` is done with the address that it prints. */
export async function whileServing<T>(
  args: readonly string[],
  folder: string,
  work: (url: string) => Promise<T>,
): Promise<T> {
  const server = spawn(process.execPath, args, { cwd: folder, env: strangersEnvironment() });
  let patience: NodeJS.Timeout | undefined;
  try {
    const url = await new Promise<string>((resolve, reject) => {
      let printed = '';
      patience = setTimeout(() => reject(new Error(`the server gave no address\n${printed}`)), PATIENCE);
      const hear = (chunk: Buffer): void => {
        printed += chunk.toString();
        const address = /http:\/\/[\w.:]+\//.exec(printed)?.[0];
        if (address !== undefined) resolve(address);
      };
      server.stdout.on('data', hear);
      server.stderr.on('data', hear);
      server.on('error', reject);
      server.on('exit', () => reject(new Error(`the server ended\n${printed}`)));
    });
    return await work(url);
  } finally {
    clearTimeout(patience);
    server.kill();
  }
}
