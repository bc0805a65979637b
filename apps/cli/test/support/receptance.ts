import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

export interface Outcome {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** What a test may do to a running command: send it a signal, stop reading its output. */
export interface Running {
  readonly stdout: string;
  kill(signal: NodeJS.Signals): void;
  stopReading(): void;
}

/**
 * Runs the command as a process of its own, on source.
 * @param onOutput called whenever it has written to stdout
 */
export function receptance(args: readonly string[], onOutput?: (running: Running) => void): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['--conditions=@receptance/source', main, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (chunk) => {
      stdout += chunk;
      onOutput?.({
        stdout,
        kill: (signal) => child.kill(signal),
        stopReading: () => child.stdout.destroy(),
      });
    });
    child.stderr.on('data', (chunk) => {
      stderr += chunk;
    });
    child.on('error', reject);
    child.on('close', (status) => resolve({ status, stdout, stderr }));
  });
}

export function golden(path: string): string {
  return fileURLToPath(new URL(`../../../../packages/conformance/golden/${path}`, import.meta.url));
}
