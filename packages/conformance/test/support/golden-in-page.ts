import type { GoldenFile } from '../../src/index.ts';

/** Addresses by path: Vite looks for the files, so that a page can read them. */
const addresses = import.meta.glob<string>('../../golden/**/*.*', {
  query: '?url',
  import: 'default',
  eager: true,
});

/** The golden data of this repository, for tests that run in a page. */
export const goldenInPage: readonly GoldenFile[] = Object.entries(addresses).map(([path, address]) => {
  return {
    name: path.replace(/^.*\/golden\//, ''),
    read: async () => new Uint8Array(await (await fetch(address)).arrayBuffer()),
  };
});
