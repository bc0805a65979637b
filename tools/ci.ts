/** Installs what the tests need of the system, runs the tests, then the checks; one step failing does not stop the next. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { systemParts } from './system-parts.ts';
import type { Tally } from './tally.ts';
import { add, closingLine, nothing, table } from './tally.ts';
import { root } from './workspace.ts';

interface Step {
  readonly name: string;
  readonly seconds: number;
  readonly tally: Tally;
}

const passed: Tally = { ...nothing, passed: 1 };
const failed: Tally = { ...nothing, failed: 1 };

function succeeds(command: string): boolean {
  return spawnSync(command, { cwd: root, shell: true, stdio: 'inherit' }).status === 0;
}

/** Takes the step's own word for how much passed, where it left one; a failure that it did not count counts once. */
function counted(command: string, report: string): Tally {
  const file = join(root, 'reports', report);
  rmSync(file, { force: true });
  const ok = succeeds(command);
  if (!existsSync(file)) return ok ? passed : failed;
  const tally = JSON.parse(readFileSync(file, 'utf8')) as Tally;
  return ok || tally.failed > 0 ? tally : add(tally, failed);
}

function step(name: string, work: () => Tally): Step {
  console.log(`\n=== ${name}`);
  const began = Date.now();
  const tally = work();
  const seconds = (Date.now() - began) / 1000;
  console.log(`=== ${name}: ${tally.failed === 0 ? 'passed' : 'FAILED'} in ${seconds.toFixed(1)} s`);
  return { name, seconds, tally };
}

const parts = Object.values(systemParts).filter((part) => !part.isPresent());
const steps = [
  ...parts.map((part) =>
    step(`install ${part.title}`, () => (part.install.every(succeeds) && part.isPresent() ? passed : failed)),
  ),
  step('tests', () => counted('npm test -- --within-ci', 'tests.json')),
  // Of the tests' own run: no case runs twice.
  step('support matrix', () => (succeeds('npm run -s support -- --check') ? passed : failed)),
  step('checks', () => counted('npm run check -- --within-ci', 'checks.json')),
];

const total = steps.map(({ tally }) => tally).reduce(add, nothing);
const rows = steps.map(({ name, seconds, tally }) => [name, `${tally.passed}`, `${tally.failed}`, seconds.toFixed(1)]);
console.log(`\n${table([['step', 'passed', 'failed', 'seconds'], ...rows])}\n`);
console.log(closingLine(total));
process.exitCode = total.failed > 0 || total.passed === 0 ? 1 : 0;
