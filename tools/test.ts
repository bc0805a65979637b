/** Runs every group of tests, or those named as arguments, and ends with a table and a line `N passed, N failed`. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { SystemPart } from './system-parts.ts';
import { inCi, systemParts } from './system-parts.ts';
import type { Tally } from './tally.ts';
import { add, closingLine, nothing, table } from './tally.ts';
import type { CargoGroup, TestGroup, VitestGroup } from './test-groups.ts';
import { belongsTo, testGroups } from './test-groups.ts';
import { root } from './workspace.ts';

interface Result {
  readonly group: string;
  readonly tally: Tally;
  readonly seconds: number;
  readonly note: string;
}

interface VitestReport {
  readonly success: boolean;
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly startTime: number;
    readonly endTime: number;
    readonly assertionResults: readonly { readonly status: string }[];
  }[];
}

const reports = join(root, 'reports');

/** A group that cannot run here: nothing where a person tries things out, a failure where a CI must be complete. */
function notRun({ name }: TestGroup, missing: readonly SystemPart[]): Result {
  const titles = missing.map(({ title }) => title).join(' and ');
  const commands = missing.flatMap(({ install }) => install).join(' && ');
  const tally = inCi ? { ...nothing, failed: 1 } : nothing;
  return { group: name, tally, seconds: 0, note: `not run: needs ${titles}; install with: ${commands}` };
}

function countFile({ status, assertionResults }: VitestReport['testResults'][number]): Tally {
  const count = (wanted: readonly string[]) => assertionResults.filter((test) => wanted.includes(test.status)).length;
  const tally = {
    passed: count(['passed']),
    failed: count(['failed']),
    skipped: count(['skipped', 'pending', 'todo', 'disabled']),
  };
  const brokenFile = status === 'failed' && tally.failed === 0;
  return brokenFile ? { ...tally, failed: 1 } : tally;
}

/** Longest folder first: a file belongs to the innermost group, and within one folder to the group whose pattern it matches. */
function groupOf(file: string, groups: readonly VitestGroup[]): VitestGroup | undefined {
  const inside = groups.filter(({ folder }) => file.startsWith(`${join(root, folder)}/`));
  return inside.find((group) => belongsTo(file, group)) ?? inside[0];
}

function runVitest(groups: readonly VitestGroup[]): Result[] {
  if (groups.length === 0) return [];
  const report = join(reports, 'vitest.json');
  rmSync(report, { force: true });
  const args = [
    ...['run', '--reporter=default', '--reporter=json', `--outputFile.json=${report}`],
    ...groups.map(({ name }) => `--project=${name}`),
  ];
  const { status } = spawnSync(process.execPath, [join(root, 'node_modules/vitest/vitest.mjs'), ...args], {
    cwd: root,
    stdio: 'inherit',
  });
  const broken = (note: string): Result => ({ group: 'vitest', tally: { ...nothing, failed: 1 }, seconds: 0, note });
  if (!existsSync(report)) return [broken(`no report; exit status ${status}`)];
  const { testResults } = JSON.parse(readFileSync(report, 'utf8')) as VitestReport;
  const results = groups.map((group): Result => {
    const files = testResults.filter(({ name }) => groupOf(name, groups) === group);
    const seconds = files.reduce((sum, { startTime, endTime }) => sum + (endTime - startTime) / 1000, 0);
    return { group: group.name, tally: files.map(countFile).reduce(add, nothing), seconds, note: '' };
  });
  const explained = status === 0 || results.some(({ tally }) => tally.failed > 0);
  return explained ? results : [...results, broken(`failed outside any test; exit status ${status}`)];
}

function runCargo({ name, folder, checks }: CargoGroup): Result {
  const began = Date.now();
  const { status, stdout } = spawnSync('cargo', ['test', '--quiet'], {
    cwd: join(root, folder),
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  process.stdout.write(stdout ?? '');
  const lines = (stdout ?? '').matchAll(/^test result: .*?(\d+) passed; (\d+) failed; (\d+) ignored/gm);
  const tally = [...lines]
    .map(([, passed, failed, skipped]) => ({
      passed: Number(passed),
      failed: Number(failed),
      skipped: Number(skipped),
    }))
    .reduce(add, nothing);
  const broken = status !== 0 && tally.failed === 0;
  const checked = checks
    .map(([command, ...args]) =>
      spawnSync(command === 'node' ? process.execPath : command, args, {
        cwd: join(root, folder),
        stdio: ['ignore', 'inherit', 'inherit'],
      }),
    )
    .map((check): Tally => (check.status === 0 ? { ...nothing, passed: 1 } : { ...nothing, failed: 1 }));
  return {
    group: name,
    tally: checked.reduce(add, broken ? { ...tally, failed: 1 } : tally),
    seconds: (Date.now() - began) / 1000,
    note: broken ? `cargo test ended with status ${status}` : '',
  };
}

function chosenGroups(names: readonly string[]): TestGroup[] {
  const groups = testGroups();
  const unknown = names.filter((name) => !groups.some((group) => group.name === name));
  if (unknown.length > 0) {
    console.error(`no test group named ${unknown.join(', ')}; there are: ${groups.map(({ name }) => name).join(', ')}`);
    process.exit(2);
  }
  return names.length === 0 ? groups : groups.filter(({ name }) => names.includes(name));
}

function main(args: readonly string[]): void {
  const withinCi = args.includes('--within-ci');
  const names = args.filter((arg) => arg !== '--within-ci');
  mkdirSync(reports, { recursive: true });
  const missing = (group: TestGroup) =>
    group.needs.map((part) => systemParts[part]).filter((part) => !part.isPresent());
  const planned = chosenGroups(names).map((group) => ({ group, missing: missing(group) }));
  const ready = planned.filter((plan) => plan.missing.length === 0).map(({ group }) => group);
  const results = [
    ...runVitest(ready.filter((group) => group.runner === 'vitest')),
    ...ready.filter((group) => group.runner === 'cargo').map(runCargo),
    ...planned.filter((plan) => plan.missing.length > 0).map((plan) => notRun(plan.group, plan.missing)),
  ];
  const total = results.map(({ tally }) => tally).reduce(add, nothing);
  const rows = results.map(({ group, tally, seconds, note }) => {
    const counts = [tally.passed, tally.failed, tally.skipped].map(String);
    return [group, ...counts, seconds.toFixed(1), note];
  });
  writeFileSync(join(reports, 'tests.json'), `${JSON.stringify({ ...total, results }, null, 2)}\n`);
  console.log(`\n${table([['group', 'passed', 'failed', 'skipped', 'seconds', ''], ...rows])}\n`);
  const idle = planned.filter((plan) => plan.missing.length > 0).map(({ group }) => group.name);
  if (idle.length > 0) console.log(`not run: ${idle.join(', ')}`);
  if (total.passed + total.failed === 0) console.log('no test ran');
  if (!withinCi) console.log(closingLine(total));
  process.exitCode = total.failed > 0 || total.passed === 0 ? 1 : 0;
}

main(process.argv.slice(2));
