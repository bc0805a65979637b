import { goldenFiles } from '@receptance/conformance/node';
import { conformance } from '@receptance/conformance/vitest';
import { wasm } from '../src/index.ts';

const wide = wasm({ threads: 2, memory64: true, guards: true });

conformance({ ...wide, name: 'wasm, memory64' }, { golden: await goldenFiles(), require: ['*'] });
