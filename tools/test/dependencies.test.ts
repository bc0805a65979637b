import { expect, test } from 'vitest';
import { checkCoreTypes, checkImports, checkManifest } from '../layout/dependencies.ts';

const packageNamed = (name: string, dependencies: Record<string, string> = {}) => ({
  name,
  folder: `packages/${name}`,
  hasTests: true,
  manifest: {
    name: `@receptance/${name}`,
    version: '0.0.0',
    dependencies,
    devDependencies: { '@receptance/conformance': 'workspace:*' },
  },
});

test.each([
  ['core', { fflate: '1' }, ['core depends on fflate']],
  ['backend-wasm', { '@receptance/core': '1' }, []],
  ['backend-wasm', { '@receptance/backend-reference': '1' }, ['backend-wasm depends on backend-reference']],
  ['checkpoint', { receptance: '1', fflate: '1' }, ['checkpoint depends on receptance']],
  ['playground', { '@receptance/backend-wasm': '1' }, []],
])('manifest of %s with %o', (name, dependencies, expected) => {
  expect(checkManifest(packageNamed(name, dependencies)).map(({ message }) => message)).toEqual(expected);
});

test.each([
  ['core', "import { x } from './x.ts';", []],
  ['core', "import fs from 'node:fs';", ['core imports node:fs']],
  ['core', "const x = await import('fflate');", ['core imports fflate']],
  [
    'backend-wasm',
    "export type { A } from '@receptance/backend-reference';",
    ['backend-wasm imports backend-reference'],
  ],
  ['backend-wasm', "import '../../core/src/index.ts';", ['reaches packages/core/src/index.ts']],
  ['receptance', "import { open } from '@receptance/checkpoint';", []],
])('%s: %s', (name, text, expected) => {
  const file = `packages/${name}/src/index.ts`;
  expect(checkImports(packageNamed(name), file, text).map(({ message }) => message)).toEqual(expected);
});

test('core sees neither DOM nor Node', () => {
  expect(checkCoreTypes('{ "extends": "x" }')).toEqual([]);
  expect(checkCoreTypes('{ "compilerOptions": { "lib": ["DOM"] } }')).toHaveLength(1);
});
