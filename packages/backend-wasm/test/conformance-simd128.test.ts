import { goldenFiles } from '@receptance/conformance/node';
import { conformance } from '@receptance/conformance/vitest';
import { wasm } from '../src/index.ts';

// What runs everywhere: one thread, every sum rounded alike on all machines.
const plain = wasm({ threads: 1, relaxed: false, guards: true });

conformance({ ...plain, name: 'wasm, simd128' }, { golden: await goldenFiles(), require: ['*'] });
