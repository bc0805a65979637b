import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Plugin } from 'vite';

/** Writes `assets.json`: what the service worker keeps, under a version that changes with any of it. */
export function assetsList(): Plugin {
  return {
    name: 'assets-list',
    apply: 'build',
    writeBundle: {
      order: 'post',
      sequential: true,
      handler({ dir }) {
        if (dir === undefined) return;
        const listed = readdirSync(dir, { recursive: true, withFileTypes: true });
        const files = listed
          .filter((entry) => entry.isFile() && !['sw.js', 'assets.json'].includes(entry.name))
          .map(({ parentPath, name }) =>
            join(parentPath, name)
              .slice(dir.length + 1)
              .replaceAll('\\', '/'),
          )
          // The benchmark is larger than all the rest; it comes when somebody goes there.
          .filter((file) => !file.startsWith('benchmark/'))
          .sort();
        const hash = createHash('sha256');
        for (const file of files) hash.update(file).update(readFileSync(join(dir, file)));
        writeFileSync(join(dir, 'assets.json'), JSON.stringify({ version: hash.digest('hex').slice(0, 16), files }));
      },
    },
  };
}
