import { conformance } from '@receptance/conformance/vitest';
import { wasm } from '../src/index.ts';

conformance(wasm(), { require: ['*'] });
