/** Runs every check of turbo.json (not the tests), and ends with a table and a line `N passed, N failed`. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { closingLine, table } from './tally.ts';
import { root } from './workspace.ts';

interface Summary {
  readonly tasks: readonly {
    readonly task: string;
    readonly package: string;
    readonly cache: { readonly status: string };
    readonly execution?: { readonly startTime: number; readonly endTime: number; readonly exitCode: number | null };
  }[];
}

const runs = join(root, '.turbo/runs');
const reports = join(root, 'reports');

function turbo(): Summary {
  const { tasks } = JSON.parse(readFileSync(join(root, 'turbo.json'), 'utf8')) as { tasks: Record<string, unknown> };
  rmSync(runs, { recursive: true, force: true });
  const names = Object.keys(tasks).map((name) => name.replace('//#', ''));
  const options = ['--continue=always', '--summarize', '--output-logs=errors-only', '--concurrency=2'];
  spawnSync(process.execPath, [join(root, 'node_modules/turbo/bin/turbo'), 'run', ...names, ...options], {
    cwd: root,
    stdio: 'inherit',
  });
  const [summary] = readdirSync(runs);
  if (summary === undefined) throw new Error('turbo wrote no summary');
  return JSON.parse(readFileSync(join(runs, summary), 'utf8')) as Summary;
}

const checks = turbo()
  .tasks.filter(({ execution }) => execution !== undefined)
  .map(({ task, package: owner, cache, execution }) => ({
    name: owner === '//' ? task : `${task} ${owner}`,
    ok: execution?.exitCode === 0,
    seconds: execution === undefined ? 0 : (execution.endTime - execution.startTime) / 1000,
    note: cache.status === 'HIT' ? 'as before' : '',
  }));
const tally = {
  passed: checks.filter(({ ok }) => ok).length,
  failed: checks.filter(({ ok }) => !ok).length,
  skipped: 0,
};
const rows = checks.map(({ name, ok, seconds, note }) => [name, ok ? 'passed' : 'FAILED', seconds.toFixed(1), note]);

mkdirSync(reports, { recursive: true });
writeFileSync(join(reports, 'checks.json'), `${JSON.stringify({ ...tally, checks }, null, 2)}\n`);
console.log(`\n${table([['check', '', 'seconds', ''], ...rows])}\n`);
if (!process.argv.includes('--within-ci')) console.log(closingLine(tally));
process.exitCode = tally.failed > 0 || tally.passed === 0 ? 1 : 0;
