/**
 * Writes docs/support.md from a run of the conformance suite, or holds it against one (`--check`). The run is that of the tests
 * (reports/vitest.json), or a file that `receptance conform --all --json` wrote.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Result, tablesOf } from './support/matrix.ts';
import { differences, pageOf } from './support/text.ts';
import { inCi } from './system-parts.ts';
import { root, workspacePackages } from './workspace.ts';

interface VitestReport {
  readonly testResults: readonly {
    readonly name: string;
    readonly assertionResults: readonly { readonly meta?: { readonly conformance?: Result } }[];
  }[];
}

interface ConformReport {
  readonly reports: readonly { readonly backend: string; readonly results: readonly Result[] }[];
}

const page = join(root, 'docs/support.md');
const columns = workspacePackages().flatMap(({ name }) =>
  name.startsWith('backend-') ? [name.slice('backend-'.length)] : [],
);

/** Backends as they are by default; other tests hold variants of them to parts of the suite. */
const OWN = /\/packages\/(backend-\w+\/test\/conformance|conformance\/test\/[\w-]+)\.test\.ts$/;

function resultsOf(path: string): Result[] {
  if (!existsSync(path)) throw new Error(`there is no ${path}: run the tests of all backends first (npm test)`);
  const report = JSON.parse(readFileSync(path, 'utf8')) as VitestReport | ConformReport;
  const results =
    'reports' in report
      ? report.reports.flatMap(({ backend, results: own }) => own.map((result) => ({ ...result, backend })))
      : report.testResults
          .filter(({ name }) => OWN.test(name))
          .flatMap(({ assertionResults }) => assertionResults.flatMap(({ meta }) => meta?.conformance ?? []));
  return results.filter(({ backend }) => columns.includes(backend));
}

const args = process.argv.slice(2).filter((arg) => arg !== '--check');
const results = resultsOf(args[0] ?? join(root, 'reports/vitest.json'));
const ran = new Set(results.map(({ backend }) => backend));
const made = pageOf(tablesOf(results), columns);
const missing = columns.filter((name) => !ran.has(name));

if (!process.argv.includes('--check')) {
  if (missing.length > 0) throw new Error(`the run has no results of ${missing.join(', ')}: the page is not written`);
  writeFileSync(page, made);
  console.log(`docs/support.md: ${results.length} checks of ${columns.join(', ')}`);
} else {
  const problems = differences(existsSync(page) ? readFileSync(page, 'utf8') : '', made, ran);
  if (inCi) problems.push(...missing.map((name) => `no results of ${name}`));
  for (const problem of problems) console.log(problem);
  if (problems.length > 0) console.log('docs/support.md is out of date: npm test && node tools/support-matrix.ts');
  else console.log(`docs/support.md: as ${results.length} checks of ${[...ran].join(', ')} say`);
  process.exitCode = problems.length > 0 ? 1 : 0;
}
