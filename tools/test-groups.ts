/** Every group of tests in the repository, and the parts of the system it needs. `npm test` and vitest.config.ts read this. */
import { existsSync, globSync } from 'node:fs';
import { join } from 'node:path';
import type { SystemPartName } from './system-parts.ts';
import { root, workspacePackages } from './workspace.ts';

export interface VitestGroup {
  readonly runner: 'vitest';
  /** Also the name of the vitest project. */
  readonly name: string;
  readonly folder: string;
  readonly needs: readonly SystemPartName[];
  /** The page of Chromium that its files run in, if they do: one isolated from other origins has memory that threads share. */
  readonly page: 'plain' | 'isolated' | undefined;
  readonly include: readonly string[];
  readonly exclude: readonly string[];
}

export interface CargoGroup {
  readonly runner: 'cargo';
  readonly name: string;
  readonly folder: string;
  readonly needs: readonly SystemPartName[];
  /** Commands that must succeed, beside its tests; each counts as one. */
  readonly checks: readonly (readonly [command: string, ...args: string[]])[];
}

export type TestGroup = VitestGroup | CargoGroup;

/** Packages whose every test needs a part of the system. */
const packageNeeds: Readonly<Record<string, readonly SystemPartName[]>> = {
  'backend-webgpu': ['webgpu'],
  playground: ['chromium'],
};

/** Elsewhere a test file says by its ending that it needs one: `….webgpu.test.ts`. Those for Chromium run in a page. */
const endings = {
  webgpu: 'webgpu',
  chromium: 'chromium',
  isolated: 'chromium',
  python: 'python',
} as const satisfies Readonly<Record<string, SystemPartName>>;

type Ending = keyof typeof endings;

const pages: Readonly<Partial<Record<Ending, VitestGroup['page']>>> = { chromium: 'plain', isolated: 'isolated' };

/** The ending of a file that makes it one of a group of its own. */
function endingOf(file: string): Ending | undefined {
  const ending = /\.([a-z]+)\.test\.ts$/.exec(file)?.[1];
  return ending !== undefined && Object.hasOwn(endings, ending) ? (ending as Ending) : undefined;
}

/** Whether a file is one of a group, going by its ending. */
export function belongsTo(file: string, { name }: TestGroup): boolean {
  const ending = endingOf(file);
  return ending !== undefined && name.endsWith(`-on-${ending}`);
}

const crate = 'packages/backend-wasm/crate';

function groupsOf(name: string, folder: string): VitestGroup[] {
  const needs = packageNeeds[name] ?? [];
  const everything: VitestGroup = {
    runner: 'vitest',
    name,
    folder,
    needs,
    page: undefined,
    include: ['test/**/*.test.ts'],
    exclude: [],
  };
  const files = globSync('test/**/*.test.ts', { cwd: join(root, folder) });
  const found = new Set(files.map(endingOf));
  const own = (Object.keys(endings) as Ending[]).filter(
    (ending) => found.has(ending) && !needs.includes(endings[ending]),
  );
  const patternOf = (ending: Ending): string => `test/**/*.${ending}.test.ts`;
  return [
    { ...everything, exclude: own.map(patternOf) },
    ...own.map((ending) => ({
      ...{ ...everything, name: `${name}-on-${ending}`, needs: [endings[ending]] },
      ...{ page: pages[ending], include: [patternOf(ending)] },
    })),
  ];
}

/** Test files that lie beside what they test, outside any package. */
const elsewhere: Readonly<Record<string, string>> = {
  packages: 'tools/packages',
  examples: 'tools/docs',
  walks: 'tools/walks',
  'example-backend': 'docs/contributing/example-backend',
  'example-kernel': 'docs/contributing/example-kernel',
};

export function vitestGroups(): VitestGroup[] {
  const groups = workspacePackages()
    .filter(({ hasTests }) => hasTests)
    .flatMap(({ name, folder }) => groupsOf(name, folder));
  const beside = Object.entries(elsewhere).map(
    ([name, folder]): VitestGroup => ({
      ...{ runner: 'vitest', name, folder, needs: [], page: undefined },
      ...{ include: ['*.test.ts'], exclude: [] },
    }),
  );
  const tools = existsSync(join(root, 'tools/test')) ? groupsOf('tools', 'tools') : [];
  // The innermost folder first: a file belongs to the first group whose folder it lies in.
  return [...groups, ...beside, ...tools];
}

export function testGroups(): TestGroup[] {
  const cargo: CargoGroup = {
    runner: 'cargo',
    name: 'backend-wasm-crate',
    folder: crate,
    needs: ['rust'],
    checks: [
      ['cargo', 'fmt', '--check'],
      ['cargo', 'clippy', '--quiet', '--all-targets', '--', '-D', 'warnings'],
      ['node', '../build.ts', '--lint'],
      // The suite has run on the committed binaries: they are what the crate gives.
      ['node', '../build.ts', '--check'],
    ],
  };
  return existsSync(join(root, crate, 'Cargo.toml')) ? [...vitestGroups(), cargo] : vitestGroups();
}
