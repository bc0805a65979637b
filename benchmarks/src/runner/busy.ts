import { spawn } from 'node:child_process';

/** Starts processes that never rest, each of which would have a core to itself. Returns what stops them. */
export function keepBusy(count: number): () => void {
  const processes = Array.from({ length: count }, () =>
    spawn(process.execPath, ['--eval', 'for (;;);'], { stdio: 'ignore' }),
  );
  const stop = (): void => {
    for (const child of processes) child.kill('SIGKILL');
  };
  process.once('exit', stop);
  return stop;
}
