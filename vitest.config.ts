import { join } from 'node:path';
import { defineConfig } from 'vitest/config';
import { testEnvironment } from './tools/system-parts.ts';
import { vitestGroups } from './tools/test-groups.ts';
import { root } from './tools/workspace.ts';

// Tests run on the packages' sources: nothing needs to be built first.
const conditions = ['@receptance/source'];

export default defineConfig({
  test: {
    projects: vitestGroups().map(({ name, folder, include, exclude }) => ({
      resolve: { conditions },
      ssr: { resolve: { conditions, externalConditions: conditions } },
      test: {
        name,
        root: join(root, folder),
        include: [...include],
        exclude: [...exclude],
        pool: 'forks',
        env: testEnvironment(),
        testTimeout: 180_000,
        hookTimeout: 180_000,
      },
    })),
  },
});
