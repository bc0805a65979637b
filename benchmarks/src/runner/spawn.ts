import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { ReceptanceError } from '@receptance/core';
import type { AnswerLine, Protocol, RequestName } from './protocol.ts';

/** A program in a process of its own. */
export interface RemoteRunner {
  /** @throws ReceptanceError what the program says, or that it ended */
  ask<Name extends RequestName>(request: Name, parameters: Protocol[Name]['takes']): Promise<Protocol[Name]['answers']>;
  close(): Promise<void>;
}

/** Starts a program that answers requests line by line. What it writes to its standard error is shown when it dies. */
export function startRunner(
  command: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): RemoteRunner {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'], env: { ...process.env, ...environment } });
  const ended = endOf(child);
  const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();

  return {
    async ask<Name extends RequestName>(request: Name, parameters: Protocol[Name]['takes']) {
      child.stdin.write(`${JSON.stringify({ request, parameters })}\n`);
      const { value, done } = await answers.next();
      if (done === true || value === undefined) {
        throw new ReceptanceError('DEVICE_ERROR', `the measured process ended: ${await ended}`, {
          hint: 'it may have run out of memory: take a smaller model or weight type',
        });
      }
      const line = JSON.parse(value) as AnswerLine;
      if ('answer' in line) return line.answer as Protocol[Name]['answers'];
      const { code = 'DEVICE_ERROR', message, hint } = line.error;
      throw new ReceptanceError(code, message, hint === undefined ? {} : { hint });
    },
    async close() {
      child.stdin.end();
      await ended;
    },
  };
}

/** A runner over one of this project's backends. */
export function startOwnRunner(): RemoteRunner {
  const child = fileURLToPath(new URL('child.ts', import.meta.url));
  return startRunner(process.execPath, ['--conditions=@receptance/source', child]);
}

/** What the process left to say, once it has ended. A process whose parent dies ends with its standard input. */
function endOf(child: ChildProcessWithoutNullStreams): Promise<string> {
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-2000);
  });
  // Writing to a process that has died: what matters is told by its end.
  child.stdin.on('error', () => {});
  return new Promise((resolve) => {
    child.on('error', (error) => resolve(error.message));
    child.on('close', (code, signal) => resolve(`status ${code ?? signal}. ${said.trim()}`));
  });
}
