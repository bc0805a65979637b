import { goldenFiles } from '@receptance/conformance/node';
import { conformance } from '@receptance/conformance/vitest';
import { wasm } from '../src/index.ts';

conformance(wasm({ guards: true }), { golden: await goldenFiles(), require: ['*'] });
