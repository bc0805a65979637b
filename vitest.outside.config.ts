import { defineConfig } from 'vitest/config';

/** For kernels in folders of your own within a clone: tests run on the packages' sources, as the repository's do. */
const conditions = ['@receptance/source'];

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: conditions } },
  test: { include: ['*.test.ts'], testTimeout: 60_000 },
});
