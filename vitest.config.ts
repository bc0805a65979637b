import { globSync } from 'node:fs';
import { join } from 'node:path';
import { playwright } from '@vitest/browser-playwright';
import { defineConfig } from 'vitest/config';
import { chromiumLaunch, testEnvironment } from './tools/system-parts.ts';
import { vitestGroups } from './tools/test-groups.ts';
import { root } from './tools/workspace.ts';

// Tests run on the packages' sources: nothing needs to be built first.
const conditions = ['@receptance/source'];

/** A page of Chromium for tests that run in it. */
const browserPage = () => ({
  enabled: true,
  headless: true,
  screenshotFailures: false,
  provider: playwright({ launchOptions: chromiumLaunch }),
  instances: [{ browser: 'chromium' as const }],
});

/** What a page needs for memory that threads share. */
const isolation = { 'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'require-corp' };

export default defineConfig({
  test: {
    projects: vitestGroups().map(({ name, folder, include, exclude, page }) => ({
      resolve: { conditions },
      ...(page === 'isolated' ? { server: { headers: isolation } } : {}),
      ssr: { resolve: { conditions, externalConditions: conditions } },
      test: {
        name,
        root: join(root, folder),
        include: [...include],
        exclude: [...exclude],
        globalSetup: globSync(join(root, folder, 'test/global-setup.ts')),
        ...(page !== undefined ? { browser: browserPage() } : { pool: 'forks' as const, env: testEnvironment() }),
        testTimeout: 180_000,
        hookTimeout: 180_000,
      },
    })),
  },
});
