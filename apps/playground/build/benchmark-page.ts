import { join } from 'node:path';
import { build, type Plugin } from 'vite';

const wayBack: Plugin = {
  name: 'way-back',
  transformIndexHtml: (html) => html.replace('<body>', '<body>\n    <p><a href="../../">← The playground</a></p>'),
};

/** Builds the benchmark's page beside this one, under `benchmark/`. */
export function benchmarkPage(configFile: string): Plugin {
  return {
    name: 'benchmark-page',
    apply: 'build',
    writeBundle: {
      sequential: true,
      async handler({ dir = 'dist' }) {
        await build({
          configFile,
          base: './',
          logLevel: 'warn',
          plugins: [wayBack],
          build: { outDir: join(dir, 'benchmark'), emptyOutDir: true },
        });
      },
    },
  };
}
