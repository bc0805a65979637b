import type { GoldenFile } from '@receptance/conformance';
import { conformance } from '@receptance/conformance/vitest';
import { webgpu } from '../src/index.ts';
import { shownOnGpu, TOLERANCE } from './golden.ts';

/** Addresses by path: a page reads what Node finds in the folder. */
const addresses = import.meta.glob<string>('../../conformance/golden/**/*.*', {
  query: '?url',
  import: 'default',
  eager: true,
});
const files = Object.entries(addresses).map(([path, address]): GoldenFile => {
  return {
    name: path.replace(/^.*\/golden\//, ''),
    read: async () => new Uint8Array(await (await fetch(address)).arrayBuffer()),
  };
});

conformance(webgpu(), { golden: shownOnGpu(files), require: ['*'], tolerance: TOLERANCE });
