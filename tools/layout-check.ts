/** Proves that the repository has the shape that docs and contributors rely on; prints what has not, and how to mend it. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ops } from '../packages/core/src/ops/index.ts';
import { checkCoreTypes, checkImports, checkManifest } from './layout/dependencies.ts';
import type { BackendLayout, OpKinds } from './layout/kernels.ts';
import { checkBackend, checkOpFiles } from './layout/kernels.ts';
import { checkText } from './layout/text.ts';
import type { WorkspacePackage } from './workspace.ts';
import { root, workspacePackages } from './workspace.ts';

/** Committed files, and those about to be. */
function repositoryFiles(): string[] {
  const listed = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: root,
    encoding: 'utf8',
  });
  return [...new Set(listed.split('\0'))].filter((file) => file !== '' && existsSync(join(root, file)));
}

function textOf(file: string): string | undefined {
  const bytes = readFileSync(join(root, file));
  return bytes.includes(0) ? undefined : bytes.toString('utf8');
}

function listOf<Value>(file: string): Record<string, Value> {
  return existsSync(join(root, file))
    ? (JSON.parse(readFileSync(join(root, file), 'utf8')) as Record<string, Value>)
    : {};
}

function layoutOf({ folder }: WorkspacePackage, files: readonly string[]): BackendLayout {
  return {
    folder,
    files: files.filter((file) => file.startsWith(`${folder}/`)).map((file) => file.slice(folder.length + 1)),
    absent: listOf<string>(`${folder}/absent.json`),
    shared: listOf<string[]>(`${folder}/shared.json`),
  };
}

const files = repositoryFiles();
const packages = workspacePackages();
const kinds: OpKinds = Object.fromEntries(Object.entries(ops).map(([name, { kind }]) => [name, kind]));
const inSource = ({ folder }: WorkspacePackage) =>
  files.filter((file) => file.startsWith(`${folder}/src/`) && file.endsWith('.ts'));

const problems = [
  ...checkOpFiles(kinds, files),
  ...packages
    .filter(({ name }) => name.startsWith('backend-'))
    .flatMap((found) => checkBackend(kinds, layoutOf(found, files))),
  ...packages.flatMap(checkManifest),
  ...packages.flatMap((found) => inSource(found).flatMap((file) => checkImports(found, file, textOf(file) ?? ''))),
  ...checkCoreTypes(readFileSync(join(root, 'packages/core/tsconfig.json'), 'utf8')),
  ...files.flatMap((file) => checkText(file, textOf(file) ?? '')),
];

for (const { path, message, hint } of problems) console.log(`${path}\n  ${message}: ${hint}`);
console.log(
  problems.length === 0 ? `layout: ${files.length} files as they should be` : `layout: ${problems.length} problems`,
);
process.exitCode = problems.length === 0 ? 0 : 1;
