/** The packages as they would be published, and empty projects that install them. */
import { cpSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '../run.ts';
import { root, type WorkspacePackage, workspacePackages } from '../workspace.ts';

export interface PackedPackage extends WorkspacePackage {
  readonly tarball: string;
}

/** Builds every public package and packs it into `folder`. */
export async function packAll(folder: string): Promise<PackedPackage[]> {
  mkdirSync(folder);
  const found = workspacePackages().filter(({ manifest }) => manifest.private !== true);
  await run(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-b'], root);
  const filters = found.map(({ manifest }) => `--filter=${manifest.name}`);
  const pnpm = join(root, 'node_modules/pnpm/bin/pnpm.cjs');
  await run(process.execPath, [pnpm, '--recursive', ...filters, 'pack', '--pack-destination', folder], root);
  const tarballs = readdirSync(folder);
  return found.map((one) => {
    const file = `${one.manifest.name.replace('@', '').replace('/', '-')}-${one.manifest.version}.tgz`;
    if (!tarballs.includes(file)) throw new Error(`pnpm pack made no ${file}, but ${tarballs.join(', ')}`);
    return { ...one, tarball: join(folder, file) };
  });
}

/** Makes a project of the files in `from` with the packages and others of the registry installed by npm. */
export async function createApp(
  folder: string,
  from: string,
  packages: readonly PackedPackage[],
  others: Readonly<Record<string, string>>,
): Promise<void> {
  cpSync(join(import.meta.dirname, from), folder, { recursive: true });
  const dependencies = Object.fromEntries(packages.map(({ manifest, tarball }) => [manifest.name, `file:${tarball}`]));
  const manifest = { private: true, type: 'module', dependencies, devDependencies: others };
  writeFileSync(join(folder, 'package.json'), JSON.stringify(manifest));
  await run('npm', ['install', '--no-audit', '--no-fund', '--prefer-offline', '--ignore-scripts'], folder);
}

/** What can be imported from a package: `receptance`, `receptance/node`. */
export function entriesOf({ manifest }: WorkspacePackage): string[] {
  const subpaths = Object.keys(manifest.exports ?? {}).filter((subpath) => subpath !== './package.json');
  return subpaths.map((subpath) => manifest.name + subpath.slice(1));
}
