/** The workspace as it lies on disk: which packages there are, and which of them have tests. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root: string = fileURLToPath(new URL('..', import.meta.url)).replace(/[/\\]$/, '');

export interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly private?: boolean;
  readonly exports?: Readonly<Record<string, unknown>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

export interface WorkspacePackage {
  /** The folder's own name: what the package is called in this repository. */
  readonly name: string;
  /** Path from the root, with forward slashes. */
  readonly folder: string;
  readonly manifest: Manifest;
  readonly hasTests: boolean;
}

function packageAt(folder: string): WorkspacePackage | undefined {
  const file = join(root, folder, 'package.json');
  if (!existsSync(file)) return undefined;
  const manifest = JSON.parse(readFileSync(file, 'utf8')) as Manifest;
  const name = folder.slice(folder.lastIndexOf('/') + 1);
  return { name, folder, manifest, hasTests: existsSync(join(root, folder, 'test')) };
}

export function workspacePackages(): WorkspacePackage[] {
  const folders = ['packages', 'apps']
    .flatMap((parent) =>
      existsSync(join(root, parent)) ? readdirSync(join(root, parent)).map((name) => `${parent}/${name}`) : [],
    )
    .concat('benchmarks')
    .sort();
  return folders.map(packageAt).filter((found) => found !== undefined);
}
