import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { defineConfig } from 'vitest/config';
import { root, workspacePackages } from './tools/workspace.ts';

const conditions = ['@receptance/source'];
const folders = workspacePackages()
  .filter((found) => found.hasTests)
  .map(({ name, folder }) => ({ name, folder }));
if (existsSync(join(root, 'tools/test'))) folders.push({ name: 'tools', folder: 'tools' });

// One project per package that has a `test` folder. Tests run on the packages' sources: nothing needs to be built first.
export default defineConfig({
  test: {
    reporters: ['default', ['json', { outputFile: join(root, 'reports/vitest.json') }]],
    projects: folders.map(({ name, folder }) => ({
      resolve: { conditions },
      ssr: { resolve: { conditions, externalConditions: conditions } },
      test: {
        name,
        root: join(root, folder),
        include: ['test/**/*.test.ts'],
        pool: 'forks',
        execArgv: conditions.map((condition) => `--conditions=${condition}`),
        testTimeout: 60_000,
        hookTimeout: 60_000,
      },
    })),
  },
});
