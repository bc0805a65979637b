import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const [main, many] = ['../../src/main.ts', './many.ts'].map((path) => fileURLToPath(new URL(path, import.meta.url)));

export interface Outcome {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** What a test may do to a running command: send it a signal or a line, stop reading its output. */
export interface Running {
  readonly stdout: string;
  kill(signal: NodeJS.Signals): void;
  stopReading(): void;
  type(text: string): void;
  endInput(): void;
}

type Listener = (running: Running) => void;

/**
 * Runs the command as a process of its own, on source, with nothing on stdin.
 * @param onOutput called whenever it has written to stdout
 * @param out what it writes to, in place of a pipe: the number of an open file
 */
export async function receptance(args: readonly string[], onOutput?: Listener, out?: number): Promise<Outcome> {
  const { running, ended } = runNode(main, args, onOutput, out);
  running.endInput();
  return ended;
}

/** Command lines that need no process of their own: they share one, and run one after the other. */
export async function receptanceAll(commandLines: readonly (readonly string[])[]): Promise<readonly Outcome[]> {
  const { running, ended } = runNode(many, []);
  running.type(JSON.stringify(commandLines));
  running.endInput();
  const { stdout, stderr } = await ended;
  if (stdout === '') throw new Error(stderr);
  return JSON.parse(stdout) as Outcome[];
}

/** The same as `receptance`, with a stdin that waits. */
export function start(args: readonly string[], onOutput?: Listener) {
  return runNode(main, args, onOutput);
}

function runNode(program = '', args: readonly string[], onOutput?: Listener, out?: number) {
  const child = spawn(process.execPath, ['--conditions=@receptance/source', program, ...args], {
    stdio: ['pipe', out ?? 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  const running: Running = {
    get stdout() {
      return stdout;
    },
    kill: (signal) => child.kill(signal),
    stopReading: () => child.stdout?.destroy(),
    type: (text) => child.stdin?.write(text),
    endInput: () => child.stdin?.end(),
  };
  // It may end before it has read all.
  child.stdin?.on('error', () => {});
  child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
    stdout += chunk;
    onOutput?.(running);
  });
  child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
    stderr += chunk;
  });
  const ended = new Promise<Outcome>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (status) => resolve({ status, stdout, stderr }));
  });
  return { running, ended };
}

export function golden(path: string): string {
  return fileURLToPath(new URL(`../../../../packages/conformance/golden/${path}`, import.meta.url));
}
