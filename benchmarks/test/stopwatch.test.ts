import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { startOwnRunner } from '../src/runner/spawn.ts';
import { median } from '../src/statistics.ts';

const cli = fileURLToPath(new URL('../../apps/cli/src/main.ts', import.meta.url));
const [FEW, MANY] = [16, 816];

/** Milliseconds of the whole command: start, load, and so many tokens. */
function stopwatch(tokens: number): number {
  const began = performance.now();
  const args = [
    'generate',
    '--greedy',
    '--tokens',
    '2',
    '--stop-tokens',
    '255',
    '--max-tokens',
    String(tokens),
    '--json',
  ];
  const { status, stderr } = spawnSync(process.execPath, ['--conditions=@receptance/source', cli, ...args]);
  expect({ status, stderr: String(stderr) }).toEqual({ status: 0, stderr: '' });
  return performance.now() - began;
}

// Other programs share the machine: what is found out here is a wrong unit, a token counted twice, work that is not waited for.
test('decoding takes as long as a stopwatch around the command line says', { timeout: 60_000 }, async () => {
  const runner = startOwnRunner();
  const [outside, inside]: [number[], number[]] = [[], []];
  try {
    const job = { model: 'stories', seed: 1, weights: undefined, backend: 'wasm', threads: 1, maxSequences: 1 };
    await runner.ask('open', job);
    for (let round = 0; round < 3; round++) {
      outside.push(stopwatch(MANY) - stopwatch(FEW));
      inside.push((await runner.ask('decode', { tokens: MANY - FEW })).at(-1) ?? 0);
    }
  } finally {
    await runner.close();
  }
  const ratio = median(outside) / median(inside);
  expect(ratio).toBeGreaterThan(0.4);
  expect(ratio).toBeLessThan(2.5);
});
