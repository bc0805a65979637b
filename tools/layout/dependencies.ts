/** Which package may know which: the directions of docs/contributing, proved on manifests and on every import in `src`. */
import { posix } from 'node:path';
import type { Manifest, WorkspacePackage } from '../workspace.ts';
import type { Problem } from './problem.ts';

/** What a package may need when it runs. Not listed: anything (apps and benchmarks stand on top). */
const allowed: Readonly<Record<string, readonly string[]>> = {
  core: [],
  'backend-*': ['core'],
  checkpoint: ['core'],
  tokenizer: ['core'],
  conformance: ['core', 'backend-reference', 'checkpoint'],
  receptance: ['core', 'checkpoint', 'tokenizer'],
  train: ['core', 'checkpoint', 'tokenizer', 'receptance'],
  'model-stories': [],
};

const importPattern = /(?:\bfrom\s*|\bimport\s*\(\s*|^\s*import\s+)['"]([^'"]+)['"]/gm;

function allowedFor(name: string): readonly string[] | undefined {
  return allowed[name] ?? (name.startsWith('backend-') ? allowed['backend-*'] : undefined);
}

/** The workspace package that a specifier names, by its folder's name. */
function ownPackage(specifier: string): string | undefined {
  if (specifier === 'receptance' || specifier.startsWith('receptance/')) return 'receptance';
  return /^@receptance\/([^/]+)/.exec(specifier)?.[1];
}

function neededWhenRunning({ dependencies, peerDependencies, optionalDependencies }: Manifest): string[] {
  return Object.keys({ ...dependencies, ...peerDependencies, ...optionalDependencies });
}

export function checkManifest({ name, folder, manifest }: WorkspacePackage): Problem[] {
  const path = `${folder}/package.json`;
  const may = allowedFor(name);
  const needs = neededWhenRunning(manifest);
  const hint = may === undefined ? '' : `${name} may depend on: ${may.join(', ') || 'nothing'}`;
  const forbidden = needs
    .map(ownPackage)
    .filter((other) => other !== undefined)
    .filter((other) => may !== undefined && !may.includes(other))
    .map((other) => ({ path, message: `${name} depends on ${other}`, hint }));
  const inCore = name === 'core' && needs.length > 0;
  return inCore ? [...forbidden, { path, message: `core depends on ${needs.join(', ')}`, hint }] : forbidden;
}

/** `file` is a path from the root of the repository, inside the package's `src`. */
export function checkImports({ name, folder }: WorkspacePackage, file: string, text: string): Problem[] {
  const may = allowedFor(name);
  return [...text.matchAll(importPattern)].flatMap(([, specifier = '']): Problem[] => {
    if (specifier.startsWith('.')) {
      const target = posix.join(posix.dirname(file), specifier);
      const inside = target.startsWith(`${folder}/`);
      return inside ? [] : [{ path: file, message: `reaches ${target}`, hint: 'import another package by its name' }];
    }
    if (name === 'core')
      return [{ path: file, message: `core imports ${specifier}`, hint: 'core imports nothing but its own files' }];
    const other = ownPackage(specifier);
    if (other === undefined || other === name || may === undefined || may.includes(other)) return [];
    return [
      {
        path: file,
        message: `${name} imports ${other}`,
        hint: `it may import: ${may.join(', ') || 'no package of ours'}`,
      },
    ];
  });
}

/** Core is compiled against the language alone: that is how a DOM or Node global in it becomes a type error. */
export function checkCoreTypes(tsconfig: string): Problem[] {
  const { compilerOptions = {} } = JSON.parse(tsconfig) as { compilerOptions?: Record<string, unknown> };
  return ['lib', 'types']
    .filter((option) => option in compilerOptions)
    .map((option) => ({
      path: 'packages/core/tsconfig.json',
      message: `sets ${option}`,
      hint: 'core is compiled with the library of tsconfig.base.json: no DOM, no Node',
    }));
}
