/** Runs command lines one after the other in this one process: argument lists as JSON on stdin, outcomes as JSON on stdout. */
import { text } from 'node:stream/consumers';
import { run } from '../../src/cli.ts';
import type { Outcome } from './receptance.ts';

const commandLines = JSON.parse(await text(process.stdin)) as string[][];
// Each run listens for itself.
for (const emitter of [process, process.stdout, process.stderr]) emitter.setMaxListeners(0);
const write = process.stdout.write.bind(process.stdout);
const outcomes: Outcome[] = [];
for (const args of commandLines) {
  const written = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    process[name].write = (chunk: string | Uint8Array): boolean => {
      written[name] += chunk;
      return true;
    };
  }
  outcomes.push({ status: await run(args), ...written });
}
write(JSON.stringify(outcomes));
