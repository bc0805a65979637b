import { goldenFiles } from '@receptance/conformance/node';
import { conformance } from '@receptance/conformance/vitest';
import { wasm } from '../src/index.ts';

conformance(wasm(), { golden: await goldenFiles(), require: ['*'] });
