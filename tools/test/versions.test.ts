import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { root, workspacePackages } from '../workspace.ts';

test('pnpm is pinned to one version: for the bootstrap and for the tools', () => {
  const { packageManager } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { packageManager: string };
  const catalog = readFileSync(join(root, 'pnpm-workspace.yaml'), 'utf8');
  expect(catalog).toContain(`\n  pnpm: ${packageManager.replace('pnpm@', '')}\n`);
});

test('all packages share one version', () => {
  const versions = workspacePackages().map(({ manifest }) => manifest.version);
  expect(new Set(versions).size).toBe(1);
});
