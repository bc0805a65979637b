import { reference } from '@receptance/backend-reference';
import { ops } from '@receptance/core';
import { goldenFiles } from '../src/node.ts';
import { conformance } from '../src/vitest.ts';

conformance(reference(), { require: [...Object.keys(ops), 'graph/', 'golden/op/'], golden: await goldenFiles() });
