import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';

const isolation = { 'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'require-corp' };

/** The page on the packages' sources, isolated from other origins so that there may be threads. */
export default defineConfig({
  root: fileURLToPath(new URL('..', import.meta.url)),
  resolve: { conditions: ['@receptance/source', 'browser', 'module', 'import', 'default'] },
  server: { headers: isolation, fs: { allow: [fileURLToPath(new URL('../..', import.meta.url))] } },
  optimizeDeps: { include: ['wabt', '@observablehq/plot'] },
  worker: { format: 'es' },
  build: { rollupOptions: { input: fileURLToPath(new URL('index.html', import.meta.url)) } },
});
