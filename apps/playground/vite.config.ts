import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';
import { assetsList } from './build/assets-list.ts';
import { benchmarkPage } from './build/benchmark-page.ts';

const isolation = { 'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'require-corp' };
const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** The page on the packages' sources. Addresses in it are relative, so that it may lie anywhere. */
export default defineConfig({
  base: './',
  root: at('.'),
  resolve: { conditions: ['@receptance/source', 'browser', 'module', 'import', 'default'] },
  server: { headers: isolation, fs: { allow: [at('../..')] } },
  preview: { headers: isolation },
  worker: { format: 'es' },
  build: {
    target: 'es2023',
    chunkSizeWarningLimit: 1000,
    rolldownOptions: {
      checks: { pluginTimings: false },
      input: { index: at('index.html'), ideas: at('ideas.html'), sw: at('src/service-worker/sw.ts') },
      // A service worker is known by its address.
      output: { entryFileNames: ({ name }) => (name === 'sw' ? 'sw.js' : 'assets/[name]-[hash].js') },
    },
  },
  plugins: [benchmarkPage(at('../../benchmarks/page/vite.config.ts')), assetsList()],
});
