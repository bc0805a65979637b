import { join } from 'node:path';
import { playwright } from '@vitest/browser-playwright';
import { defineConfig } from 'vitest/config';
import { chromium, testEnvironment } from './tools/system-parts.ts';
import { vitestGroups } from './tools/test-groups.ts';
import { root } from './tools/workspace.ts';

// Tests run on the packages' sources: nothing needs to be built first.
const conditions = ['@receptance/source'];

/** A page of Debian's Chromium with its own software adapter; nothing is fetched when it starts. */
const page = () => ({
  enabled: true,
  headless: true,
  screenshotFailures: false,
  provider: playwright({
    launchOptions: {
      executablePath: chromium,
      args: [
        ...['--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader', '--no-sandbox', '--disable-quic'],
        ...['--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
      ],
    },
  }),
  instances: [{ browser: 'chromium' as const }],
});

/** What a page needs for memory that threads share. */
const isolation = { 'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'require-corp' };

export default defineConfig({
  test: {
    projects: vitestGroups().map(({ name, folder, include, exclude, needs, isolated }) => ({
      resolve: { conditions },
      ...(isolated ? { server: { headers: isolation } } : {}),
      ssr: { resolve: { conditions, externalConditions: conditions } },
      test: {
        name,
        root: join(root, folder),
        include: [...include],
        exclude: [...exclude],
        ...(needs.includes('chromium') ? { browser: page() } : { pool: 'forks' as const, env: testEnvironment() }),
        testTimeout: 180_000,
        hookTimeout: 180_000,
      },
    })),
  },
});
